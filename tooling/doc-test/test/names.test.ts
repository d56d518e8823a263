import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { pages } from "../source/pages.js";
import { createProgram } from "../source/type-check.js";
import { fromRoot, libraryPackages, workspaceRoot } from "../source/workspace.js";

describe("pages for developers", () => {
  /** Paths of all files below a folder, but for what is installed or built. */
  const filesIn = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !/^(\.|node_modules$|dist$)/.test(name))
      .flatMap((entry) => (entry.isDirectory() ? filesIn(join(folder, entry.name)) : [join(folder, entry.name)]));
  const files = filesIn(workspaceRoot).map((file) => `/${fromRoot(file)}`);

  it.each(["docs/architecture.md", "CONTRIBUTING.md"])("%s names files that exist", (page) => {
    const prose = readFileSync(join(workspaceRoot, page), "utf8").replace(/^```[\s\S]*?^```/gm, "");
    const named = [...prose.matchAll(/`((?:[\w.-]+\/)*[\w.-]+\.ts)`/g)].map(([, file]) => file!);
    expect(named).not.toEqual([]);
    expect(named.filter((name) => !files.some((file) => file.endsWith(`/${name}`)))).toEqual([]);
  });
});

describe("pages for users", () => {
  const code = pages
    .flatMap((page) => readFileSync(page, "utf8").match(/^```[\s\S]*?^```|`[^`\n]+`/gm) ?? [])
    .join("\n");
  // What `@robgrad/tensor/kernels` exports is for packages that build on it, and named as a whole.
  const entries = libraryPackages()
    .flatMap(({ entries }) => [...entries])
    .filter(([specifier]) => specifier !== "@robgrad/tensor/kernels")
    .map(([specifier, file]) => ({ specifier, file }));
  const program = createProgram(entries.map(({ file }) => file));
  const checker = program.getTypeChecker();

  it.each(entries)("name every function and class of $specifier", ({ file }) => {
    const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!);
    const values = symbols.filter((symbol) => {
      const origin = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return origin.flags & ts.SymbolFlags.Value;
    });
    expect(values.map(({ name }) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([]);
  });
});
