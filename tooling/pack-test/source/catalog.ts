import { readFileSync } from "node:fs";
import { join } from "node:path";
import { workspaceRoot } from "./tarball.js";

const workspace = readFileSync(join(workspaceRoot, "pnpm-workspace.yaml"), "utf8");
const catalog = new Map(
  [...workspace.matchAll(/^ {2}"?([@\w/-]+)"?: [\^~]?(\d[\w.-]*)$/gm)].map(
    ([, name, version]) => [name!, version!] as const,
  ),
);

/** The package as `npm install` takes it, in the version that this workspace tests, if it has one. */
export const withTestedVersion = (name: string): string => (catalog.has(name) ? `${name}@${catalog.get(name)}` : name);
