import { readFileSync } from "node:fs";
import { join } from "node:path";
import { workspaceRoot } from "./tarball.js";

const workspace = readFileSync(join(workspaceRoot, "pnpm-workspace.yaml"), "utf8");

/** The version of a package that this workspace tests with. */
export const testedVersion = (name: string): string | undefined =>
  new RegExp(`^ {2}"?${name}"?: [\\^~]?(\\d[\\w.-]*)$`, "m").exec(workspace)?.[1];

/** The package as `npm install` takes it, in the version that this workspace tests with, if it has one. */
export function withTestedVersion(name: string): string {
  const version = testedVersion(name);
  return version === undefined ? name : `${name}@${version}`;
}
