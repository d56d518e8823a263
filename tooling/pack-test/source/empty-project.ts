import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { packageOf } from "./guide.js";
import { run } from "./run.js";
import type { Manifest } from "./tarball.js";

export const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript")), "tsc.js");

/** A stranger's compiler settings: every declaration is checked, and nothing of Node is known. */
const compilerOptions = {
  target: "ES2022",
  lib: ["ES2022", "DOM"],
  module: "NodeNext",
  moduleResolution: "NodeNext",
  strict: true,
  skipLibCheck: false,
  types: [],
};

/** Installs tarballs with npm into a new folder. */
export async function createProject(folder: string, tarballs: ReadonlyMap<string, string>): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const dependencies = Object.fromEntries([...tarballs].map(([name, file]) => [name, `file:${file}`]));
  const manifest = { name: "empty-project", private: true, type: "module", dependencies };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"], folder);
}

/** Type-checks and compiles the programs (file name → text), then runs each. */
export async function runPrograms(folder: string, programs: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, text] of Object.entries(programs)) writeFileSync(join(folder, file), text);
  await run(process.execPath, [compiler, "--project", "."], folder);
  for (const file of Object.keys(programs)) await run(process.execPath, [file.replace(/\.ts$/, ".js")], folder);
}

/** Type-checks the programs once more, where the project knows WebGPU through `@webgpu/types`. */
export async function typeCheckWithWebGpuTypes(folder: string): Promise<void> {
  const types = dirname(createRequire(import.meta.url).resolve("@webgpu/types/package.json"));
  mkdirSync(join(folder, "node_modules/@webgpu"), { recursive: true });
  symlinkSync(types, join(folder, "node_modules/@webgpu/types"), "junction");
  await run(process.execPath, [compiler, "--project", ".", "--noEmit", "--types", "@webgpu/types"], folder);
}

const manifestOf = (folder: string, name: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")) as Manifest;

/** Optional peers that an entry of an installed package imports; none of a package without a map of exports. */
export function peersOf(folder: string, entry: string): string[] {
  const name = packageOf(entry);
  const { exports, peerDependenciesMeta = {} } = manifestOf(folder, name);
  const target = exports?.[`.${entry.slice(name.length)}`];
  const optional = Object.keys(peerDependenciesMeta).filter((peer) => peerDependenciesMeta[peer]!.optional);
  if (typeof target !== "object" || optional.length === 0) return [];
  const files = Object.values(target as Readonly<Record<string, unknown>>).filter((file) => typeof file === "string");
  const text = files.map((file) => readFileSync(join(folder, "node_modules", name, file), "utf8")).join("");
  return optional.filter((peer) => new RegExp(`from ['"]${peer}['"/]`).test(text));
}

/** Import specifiers of an installed package that need none of its optional peers. */
export function entriesWithoutOptionalPeers(folder: string, name: string): string[] {
  const { exports } = manifestOf(folder, name);
  return Object.entries(exports)
    .filter(([, target]) => typeof target === "object")
    .map(([subpath]) => name + subpath.slice(1))
    .filter((entry) => peersOf(folder, entry).length === 0);
}
