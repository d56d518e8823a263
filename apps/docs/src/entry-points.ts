import { packages } from "./pages.js";
import { libraryPackages } from "./workspace.js";

/** Import specifier → source file, in the order of the packages. */
export function entryPoints(): ReadonlyMap<string, string> {
  const libraries = new Map(libraryPackages().map((library) => [library.name, library]));
  return new Map(
    packages.flatMap((name) => {
      const library = libraries.get(`@robgrad/${name}`);
      if (!library) throw new Error(`apps/docs/src/pages.ts: expected packages of the workspace, found ${name}.`);
      return [...library.entries];
    }),
  );
}

/** Where the API has the pages of an entry point, from the root of the site. */
export const apiFolderOf = (specifier: string): string => `api/${specifier.replace("@robgrad/", "")}`;
