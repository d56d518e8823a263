import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "tsup";

/** Bundles a program beside this file, runs it in a Node process of its own and parses what it prints. */
export async function runProgram(name: string, flags: readonly string[]): Promise<unknown> {
  // Inside of the package, so that the program finds what is installed for it.
  const folder = await mkdtemp(fileURLToPath(new URL("../../node_modules/.program-", import.meta.url)));
  try {
    const entry = fileURLToPath(new URL(name, import.meta.url));
    await build({
      entry: { [basename(name, ".ts")]: entry },
      format: "esm",
      target: "es2022",
      platform: "node",
      outDir: folder,
      outExtension: () => ({ js: ".mjs" }),
      config: false,
      silent: true,
      esbuildOptions: (options) => void (options.conditions = ["@robgrad/source"]),
      noExternal: [/^@robgrad\//],
    });
    const program = join(folder, `${basename(name, ".ts")}.mjs`);
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, program]);
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
