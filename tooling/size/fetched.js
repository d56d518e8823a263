// Bundles a trainer as its users do, trains with it, and counts the bytes of every file that was loaded for it.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { register } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { MessageChannel } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { build } from "vite";

/**
 * @typedef {object} Fetched
 * @property {number} bytes                   Minified and compressed, all files together.
 * @property {Map<string, number>} byFile     The same by file.
 * @property {Map<string, number>} byPackage  The same by package; a package has of a file what it has of its text.
 */

const packageOf = (id) =>
  /\/packages\/([^/]+)\//.exec(id)?.[1] ?? (id.includes("/tooling/size/") ? "trainer" : "other");

/** Loads a file of a bundle, has it train, and says which files that took. */
async function filesLoaded(folder, entry, train) {
  const { port1, port2 } = new MessageChannel();
  const loaded = new Set();
  port1.on("message", (url) => loaded.add(basename(fileURLToPath(url))));
  register("./record-loads.js", import.meta.url, { data: { port: port2 }, transferList: [port2] });
  await train(await import(pathToFileURL(join(folder, entry)).href));
  await new Promise((resolve) => setTimeout(resolve, 100));
  port1.close();
  return loaded;
}

/**
 * @param {string} entry                                    File beside this one.
 * @param {(program: any) => Promise<void>} train  Trains with what the entry exports.
 * @returns {Promise<Fetched>}
 */
export async function fetched(entry, train) {
  const root = fileURLToPath(new URL(".", import.meta.url));
  const { output } = await build({
    root,
    configFile: false,
    logLevel: "warn",
    build: {
      write: false,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: { input: join(root, entry), preserveEntrySignatures: "allow-extension" },
    },
  });
  const chunks = output.filter((file) => file.type === "chunk");
  const folder = await mkdtemp(join(tmpdir(), "robgrad-size-"));
  try {
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    for (const { fileName, code } of chunks) await writeFile(join(folder, basename(fileName)), code);
    const loaded = await filesLoaded(folder, basename(chunks.find((chunk) => chunk.isEntry).fileName), train);
    const byFile = new Map();
    const byPackage = new Map();
    for (const { fileName, code, modules } of chunks) {
      if (!loaded.has(basename(fileName))) continue;
      const bytes = gzipSync(code, { level: 9 }).length;
      byFile.set(basename(fileName), bytes);
      const lengths = Object.entries(modules).map(([id, { renderedLength }]) => [packageOf(id), renderedLength]);
      const total = lengths.reduce((sum, [, length]) => sum + length, 0);
      // A file that only hands on what others export has no text of its own.
      const share = (length) => (total > 0 ? length / total : 1 / lengths.length);
      for (const [name, length] of lengths) byPackage.set(name, (byPackage.get(name) ?? 0) + bytes * share(length));
    }
    return { bytes: [...byFile.values()].reduce((sum, bytes) => sum + bytes, 0), byFile, byPackage };
  } finally {
    await rm(folder, { recursive: true });
  }
}
