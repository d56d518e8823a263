import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { run } from "./run.js";
import type { Manifest } from "./tarball.js";

const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript")), "tsc.js");

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

/** Import specifiers of an installed package that need none of its optional peers. */
export function entriesWithoutOptionalPeers(folder: string, name: string): string[] {
  const installed = join(folder, "node_modules", name);
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as Manifest;
  const optional = Object.entries(manifest.peerDependenciesMeta ?? {}).flatMap(([peer, meta]) =>
    meta.optional ? [peer] : [],
  );
  return Object.entries(manifest.exports).flatMap(([subpath, target]) => {
    if (typeof target !== "object") return [];
    const { types, default: code } = target as { types: string; default: string };
    const text = readFileSync(join(installed, types), "utf8") + readFileSync(join(installed, code), "utf8");
    const needsPeer = optional.some((peer) => new RegExp(`from ['"]${peer}['"/]`).test(text));
    return needsPeer ? [] : [name + subpath.slice(1)];
  });
}
