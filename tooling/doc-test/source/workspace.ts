import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";

export const workspaceRoot = resolve(import.meta.dirname, "../../..");

/** Path from the workspace root, as shown in test names. */
export const fromRoot = (file: string): string => relative(workspaceRoot, file).split(sep).join("/");

/** An empty folder for generated programs; imports inside it resolve like those of this package. */
export function emptyFolder(name: string): string {
  const folder = join(import.meta.dirname, "../.temporary", name);
  rmSync(folder, { recursive: true, force: true });
  return folder;
}

export interface LibraryPackage {
  readonly name: string;
  readonly folder: string;
  /** Import specifier → source file, one per entry point that exists. */
  readonly entries: ReadonlyMap<string, string>;
}

export function libraryPackages(): LibraryPackage[] {
  return readdirSync(join(workspaceRoot, "packages")).map((directory) => {
    const folder = join(workspaceRoot, "packages", directory);
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      name: string;
      exports: Record<string, string | Record<string, string>>;
    };
    const entries = Object.entries(manifest.exports).flatMap(([subpath, target]) => {
      const source = typeof target === "object" ? target["@robgrad/source"] : undefined;
      const file = source && join(folder, source);
      return file && existsSync(file) ? [[manifest.name + subpath.slice(1), file] as const] : [];
    });
    return { name: manifest.name, folder, entries: new Map(entries) };
  });
}

/** All TypeScript files below a folder. */
export const typescriptFiles = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .sort()
    .map((file) => join(folder, file));
