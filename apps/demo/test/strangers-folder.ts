import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { built } from "./program.js";
import { temporaryFolder } from "./run-demo.js";

/** A stranger's folder with its own copies of the packages a plugin needs, and the files given. */
export function strangersFolder(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  cpSync(join(built, "packages"), join(folder, "node_modules"), { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}
