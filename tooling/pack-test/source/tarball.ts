import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { run } from "./run.js";

export const workspaceRoot = resolve(import.meta.dirname, "../../..");

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly packageManager?: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

const manifestIn = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

/** Folder of every package that is published, by name. */
export const publishedPackages: ReadonlyMap<string, string> = new Map(
  readdirSync(join(workspaceRoot, "packages"))
    .map((directory) => join(workspaceRoot, "packages", directory))
    .map((folder) => [manifestIn(folder).name, folder] as const),
);

/** Path of the tarball that `packAll` writes for a package. */
export function tarballOf(name: string, destination: string): string {
  const { version } = manifestIn(publishedPackages.get(name)!);
  return join(destination, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
}

/** Packs all packages as they would be published. */
export async function packAll(destination: string): Promise<void> {
  const pnpm = manifestIn(workspaceRoot).packageManager!;
  const args = ["-y", pnpm, "--recursive", "--filter", "./packages/*", "pack", "--pack-destination", destination];
  await run("npx", args, workspaceRoot);
}

/** The package and the @robgrad packages that it declares, and those that they declare. */
export function withRobgradDependencies(name: string): string[] {
  const declared = Object.keys(manifestIn(publishedPackages.get(name)!).dependencies ?? {});
  const below = declared.filter((dependency) => publishedPackages.has(dependency)).flatMap(withRobgradDependencies);
  return [...new Set([name, ...below])];
}
