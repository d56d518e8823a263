import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build, type Options } from "tsup";

const demo = resolve(import.meta.dirname, "..");
const packages = resolve(demo, "../../packages");

/** Where the program under test and the packages for plugins are built. */
export const built = join(demo, ".temporary");

const { dependencies } = JSON.parse(readFileSync(join(demo, "package.json"), "utf8")) as {
  dependencies: Readonly<Record<string, string>>;
};
const libraries = Object.keys(dependencies).filter((name) => !name.startsWith("@robgrad/"));

const options: Options = {
  config: false,
  format: "esm",
  target: "es2022",
  splitting: true,
  clean: true,
  silent: true,
  esbuildOptions: (settings) => void (settings.conditions = ["@robgrad/source"]),
};

/** Builds the program from sources, so that its tests need no build before them, and packages as a stranger installs them. */
export async function setup(): Promise<void> {
  await build({
    ...options,
    entry: { cli: join(demo, "src/cli/main.ts"), worker: join(demo, "src/cli/worker.ts") },
    outDir: join(built, "program"),
    platform: "node",
    // The demo's own libraries stay where they are installed, wherever the tests are started from; sources are built in.
    external: libraries,
    noExternal: [/^@robgrad\//],
    banner: { js: 'import { createRequire as r } from "node:module"; const require = r(import.meta.url);' },
  });
  await installable("tensor", { index: "index.ts", kernels: "kernels.ts" });
  await installable("aggregators", { index: "index.ts" });
}

async function installable(name: string, entries: Readonly<Record<string, string>>): Promise<void> {
  const folder = join(built, "packages/@robgrad", name);
  const entry = Object.fromEntries(
    Object.entries(entries).map(([key, file]) => [key, join(packages, name, "src", file)]),
  );
  await build({ ...options, entry, outDir: folder, platform: "neutral", external: [/^@robgrad\//] });
  const exports = Object.keys(entries).map((key) => [key === "index" ? "." : `./${key}`, `./${key}.js`]);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: `@robgrad/${name}`, type: "module", exports: Object.fromEntries(exports) }),
  );
}
