import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The installed version of a package whose entry lies in `dist`; not every package exports its package.json. */
export function versionOf(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name);
  const manifest: unknown = JSON.parse(readFileSync(join(dirname(entry), "../package.json"), "utf8"));
  return (manifest as { readonly version: string }).version;
}
