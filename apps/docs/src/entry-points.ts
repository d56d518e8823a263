import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packages } from "./pages.js";
import { libraryPackages } from "./workspace.js";

export interface EntryPoint {
  /** What a program imports. */
  readonly specifier: string;
  /** Its source file. */
  readonly source: string;
  /** That of the package, of its main entry point. */
  readonly description: string | undefined;
}

/** Everything that can be imported, in the order of the packages. */
export function entryPoints(): readonly EntryPoint[] {
  const libraries = new Map(libraryPackages().map((library) => [library.name, library]));
  return packages.flatMap((name) => {
    const library = libraries.get(`@robgrad/${name}`);
    if (!library) throw new Error(`apps/docs/src/pages.ts: expected packages of the workspace, found ${name}.`);
    const manifest = readFileSync(join(library.folder, "package.json"), "utf8");
    const { description } = JSON.parse(manifest) as { readonly description: string };
    return [...library.entries].map(([specifier, source]) => ({
      specifier,
      source,
      description: specifier === library.name ? description : undefined,
    }));
  });
}

/** Where the API has the pages of an entry point, from the root of the site. */
export const apiFolderOf = (specifier: string): string => `api/${specifier.replace("@robgrad/", "")}`;
