import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { docstringExamples } from "../source/docstring-examples.js";
import { docstringProgram, scopeFiles, scopeOf } from "../source/docstring-program.js";
import { createProgram, writeAndCheck } from "../source/type-check.js";
import { emptyFolder, libraryPackages, typescriptFiles } from "../source/workspace.js";

const folder = emptyFolder("docstrings");
const libraries = libraryPackages();
const sources = createProgram(libraries.flatMap(scopeFiles));

const examples = libraries.flatMap((library) =>
  typescriptFiles(join(library.folder, "src"))
    .flatMap((source) => docstringExamples(source).map((example) => ({ ...example, source })))
    .map((example, index) => {
      const file = join(folder, library.name.replace("@robgrad/", ""), `example-${index + 1}.ts`);
      const scope = scopeOf(example.source, library, sources);
      return { ...example, library: library.name, file, program: docstringProgram(example.code, scope, file) };
    }),
);
const errorsIn = writeAndCheck(new Map(examples.filter((e) => !e.ignored).map((e) => [e.file, e.program])));

describe.each(libraries.map((library) => library.name))("docstrings of %s", (library) => {
  const own = examples.filter((example) => example.library === library);
  it("have examples", () => {
    expect(own).not.toEqual([]);
  });
  for (const { title, file, ignored } of own) {
    it.skipIf(ignored)(title, async () => {
      expect(errorsIn(file)).toEqual([]);
      const { default: example } = (await import(/* @vite-ignore */ file)) as { default: () => Promise<void> };
      await example();
    });
  }
});
