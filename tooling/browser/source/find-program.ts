import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a browser may be. */
export interface Whereabouts {
  /** Variable of the environment that names its program, or is empty where there shall be none. */
  readonly variable: string;
  /** Names on the path. */
  readonly names: readonly string[];
  /** Files, should none of the names be there. */
  readonly places: readonly string[];
}

/**
 * Where a program is: what its variable names, or else the first of the usual places.
 *
 * @returns  A path; undefined where there is none, and where the variable is empty.
 */
export function findProgram(
  { variable, names, places }: Whereabouts,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const named = environment[variable];
  if (named === "") return undefined;
  if (named !== undefined) {
    if (!existsSync(named)) throw new Error(`${variable}: expected a program, found nothing at ${named}`);
    return named;
  }
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...folders.flatMap((folder) => names.map((name) => join(folder, name))), ...places].find(existsSync);
}
