import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createProject,
  entriesWithoutOptionalPeers,
  runPrograms,
  typeCheckWithWebGpuTypes,
} from "../source/empty-project.js";
import { run } from "../source/run.js";
import { packAll, publishedPackages, tarballOf, withRobgradDependencies } from "../source/tarball.js";

const folder = mkdtempSync(join(tmpdir(), "robgrad-pack-"));
const areTheTypesWrong = join(
  dirname(createRequire(import.meta.url).resolve("@arethetypeswrong/cli/package.json")),
  "dist/index.js",
);

beforeAll(() => packAll(folder));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The first TypeScript example of a README. */
function readmeExample(readme: string): string {
  const example = /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync(readme, "utf8"));
  if (!example) throw new Error(`${readme}: expected an example in a \`\`\`ts block.`);
  return `${example[1]}\nexport {};\n`;
}

describe.each([...publishedPackages.keys()])("tarball of %s", (name) => {
  const tarball = tarballOf(name, folder);

  it("holds the build, a README and the license, and nothing that points to sources", async () => {
    const files = (await run("tar", ["-tzf", tarball], folder)).trim().split("\n");
    const besides = files.filter((file) => !file.startsWith("package/dist/")).sort();
    expect(besides).toEqual(expect.arrayContaining(["package/LICENSE", "package/README.md", "package/package.json"]));
    expect(files.filter((file) => /\/(src|test)\/|\.test\.|tsconfig|\.config\./.test(file))).toEqual([]);

    const manifest = await run("tar", ["-xzOf", tarball, "package/package.json"], folder);
    expect(manifest).not.toMatch(/@robgrad\/source|workspace:|catalog:/);
  });

  it("passes publint", async () => {
    const { messages, pkg } = await publint({ pack: { tarball: bytesOf(tarball) }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg!))).toEqual([]);
  });

  it("has types that resolve", async () => {
    // worker.js is a file to be served; nobody imports it.
    const options = ["--profile", "esm-only", "--no-color", "--exclude-entrypoints", "worker.js"];
    await run(process.execPath, [areTheTypesWrong, tarball, ...options], folder);
  });

  it("imports nothing of Node, which bundlers for browsers lack", async () => {
    const files = (await run("tar", ["-tzf", tarball], folder)).trim().split("\n");
    const code = files.filter((file) => file.endsWith(".js"));
    expect(code).not.toEqual([]);
    const text = await run("tar", ["-xzOf", tarball, ...code], folder);
    const imported = [...text.matchAll(/\b(?:from|import|require)\s*\(?\s*["']([^"']+)["']/g)].map(([, name]) => name!);
    expect(imported.filter((name) => isBuiltin(name))).toEqual([]);
  });

  it("runs its README example in an empty project, alone with its declared dependencies", async () => {
    const project = join(folder, name);
    const tarballs = new Map(withRobgradDependencies(name).map((needed) => [needed, tarballOf(needed, folder)]));
    await createProject(project, tarballs);
    const entries = entriesWithoutOptionalPeers(project, name);
    expect(entries).toContain(name);
    await runPrograms(project, {
      "example.ts": readmeExample(join(publishedPackages.get(name)!, "README.md")),
      "entries.ts": entries.map((entry) => `import ${JSON.stringify(entry)};\n`).join(""),
    });
    await typeCheckWithWebGpuTypes(project);
  });
});

function bytesOf(file: string): ArrayBuffer {
  const bytes = readFileSync(file);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}
