// @ts-check
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { defineConfig } from "tsup";

/** The condition under which a workspace package is seen as its TypeScript sources. */
const sourceCondition = "@robgrad/source";

/** One entry for every source named in the `exports` of the package in the working directory. */
function entriesFromExports() {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const entries = Object.values(exports)
    .map((target) => target[sourceCondition])
    .filter((source) => typeof source === "string" && existsSync(source));
  return Object.fromEntries(entries.map((source) => [basename(source, ".ts"), source]));
}

/**
 * Build of a published package: ESM with one chunk for every dynamic import, and bundled types.
 *
 * @param {import("tsup").Options} overrides
 */
export const library = (overrides = {}) =>
  defineConfig({
    entry: entriesFromExports(),
    format: "esm",
    target: "es2022",
    platform: "neutral",
    esbuildOptions: (options) => {
      options.charset = "utf8";
    },
    splitting: true,
    sourcemap: true,
    clean: true,
    dts: true,
    silent: true,
    ...overrides,
  });

/**
 * Build of a program run by Node: dependencies stay imports, no types.
 *
 * @param {Record<string, string>} entry  Name of the output → source.
 * @param {import("tsup").Options} overrides
 */
export const program = (entry, overrides = {}) =>
  defineConfig({
    entry,
    format: "esm",
    target: "es2022",
    platform: "node",
    splitting: true,
    sourcemap: true,
    clean: true,
    silent: true,
    ...overrides,
  });
