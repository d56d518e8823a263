import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fromRoot, libraryPackages, workspaceRoot } from "./workspace.js";

const docs = readdirSync(join(workspaceRoot, "docs"), { recursive: true, encoding: "utf8" }).sort();

/** Paths from the workspace root of the pages whose examples are run. */
export const pages: readonly string[] = [
  "README.md",
  "CONTRIBUTING.md",
  ...libraryPackages().map((library) => `${fromRoot(library.folder)}/README.md`),
  ...docs.filter((file) => file.endsWith(".md")).map((file) => fromRoot(join(workspaceRoot, "docs", file))),
];
