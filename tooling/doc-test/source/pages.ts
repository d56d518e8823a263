import { readdirSync } from "node:fs";
import { join } from "node:path";
import { libraryPackages, workspaceRoot } from "./workspace.js";

/** Every page that users read: the README, those of the packages, and docs with its folders. */
export const pages: readonly string[] = [
  join(workspaceRoot, "README.md"),
  ...libraryPackages().map((library) => join(library.folder, "README.md")),
  ...readdirSync(join(workspaceRoot, "docs"), { recursive: true, encoding: "utf8" })
    .filter((page) => page.endsWith(".md"))
    .sort()
    .map((page) => join(workspaceRoot, "docs", page)),
];

/** Every page whose programs are run against the sources. */
export const executedPages: readonly string[] = [...pages, join(workspaceRoot, "CONTRIBUTING.md")];
