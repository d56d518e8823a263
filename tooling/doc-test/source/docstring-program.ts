import { existsSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import ts from "typescript";
import { typescriptFiles, type LibraryPackage } from "./workspace.js";

const preludeOf = (library: LibraryPackage): string => join(library.folder, "test/example-prelude.ts");

export interface Scope {
  /** Import specifier or absolute path → names imported from it. */
  readonly imports: ReadonlyMap<string, readonly string[]>;
  readonly providesDevice: boolean;
}

/**
 * What is in scope in the docstrings of a file: the exports of the package's prelude, of the file, and of the package.
 * A name that two of them export is the earlier one's.
 */
export function scopeOf(file: string, library: LibraryPackage, program: ts.Program): Scope {
  const sources = new Map([[preludeOf(library), preludeOf(library)]]);
  if (![...library.entries.values()].includes(file)) sources.set(file, file);
  for (const [specifier, entry] of library.entries) sources.set(specifier, entry);

  const seen = new Set<string>();
  const imports = new Map<string, readonly string[]>();
  for (const [specifier, source] of sources) {
    const names = exportedNames(source, program).filter((name) => !seen.has(name));
    for (const name of names) seen.add(name);
    if (names.length > 0) imports.set(specifier, names);
  }
  return { imports, providesDevice: seen.has("device") };
}

/** Names that a file exports, itself or from others; the program must have the file. */
export function exportedNames(file: string, program: ts.Program): string[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  const names = module ? checker.getExportsOfModule(module).map((symbol) => symbol.name) : [];
  return names.filter((name) => name !== "default");
}

/** All files whose exports a docstring of the package may see. */
export const scopeFiles = (library: LibraryPackage): string[] =>
  [preludeOf(library), ...typescriptFiles(join(library.folder, "src"))].filter((file) => existsSync(file));

/** An example as a module: its own imports on top, its scope, and the rest as the body of a function. */
export function docstringProgram(code: string, scope: Scope, file: string): string {
  const source = ts.createSourceFile("example.ts", code, ts.ScriptTarget.ES2022, true);
  const ownImports = source.statements.filter(ts.isImportDeclaration);
  const body = source.statements.filter((statement) => !ts.isImportDeclaration(statement));
  const ownNames = new Set(ownImports.flatMap(importedNames));

  const scopeImports = [...scope.imports].map(([specifier, names]) => {
    const wanted = names.filter((name) => !ownNames.has(name));
    return `import { ${wanted.join(", ")} } from ${JSON.stringify(moduleSpecifier(specifier, file))};`;
  });
  const device =
    scope.providesDevice || ownNames.has("device")
      ? []
      : [
          `import { openDevice as openExampleDevice } from "@robgrad/tensor";`,
          `const device = await openExampleDevice("cpu");`,
        ];
  return [
    ...ownImports.map((statement) => statement.getText()),
    ...scopeImports,
    ...device,
    "export default async function example() {",
    ...body.map((statement) => statement.getFullText()),
    "}",
    "",
  ].join("\n");
}

function importedNames(statement: ts.ImportDeclaration): string[] {
  const clause = statement.importClause;
  const bindings = clause?.namedBindings;
  const names =
    bindings === undefined
      ? []
      : ts.isNamespaceImport(bindings)
        ? [bindings.name]
        : bindings.elements.map((e) => e.name);
  return [...(clause?.name ? [clause.name] : []), ...names].map((name) => name.text);
}

function moduleSpecifier(specifier: string, file: string): string {
  if (specifier.startsWith("@")) return specifier;
  return relative(dirname(file), specifier).split(sep).join("/").replace(/\.ts$/, ".js");
}
