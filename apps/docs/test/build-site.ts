import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { workspaceRoot } from "../src/workspace.js";

/** Builds the site, unless the last build was of the same sources. */
export function setup(): void {
  const build = join(workspaceRoot, "tooling/build/build.js");
  const { status } = spawnSync(process.execPath, [build, "build:site", "--filter=docs-site"], { stdio: "inherit" });
  if (status !== 0) throw new Error("docs-site: expected a site, found that its build failed.");
}
