import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { workspaceRoot } from "../src/workspace.js";

/** Builds the site, unless the last build was of the same sources. */
export function setup(): void {
  const manifest = readFileSync(join(workspaceRoot, "package.json"), "utf8");
  const { packageManager } = JSON.parse(manifest) as { readonly packageManager: string };
  const command = ["-y", packageManager, "run", "docs:build"];
  const { status } = spawnSync("npx", command, { cwd: workspaceRoot, stdio: "inherit" });
  if (status !== 0) throw new Error("docs-site: expected a site, found that its build failed.");
}
