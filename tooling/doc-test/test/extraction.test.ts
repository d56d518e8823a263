import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { docstringExamples } from "../source/docstring-examples.js";
import { pagePrograms } from "../source/page-examples.js";
import { writeAndCheck } from "../source/type-check.js";
import { emptyFolder } from "../source/workspace.js";

const folder = emptyFolder("extraction");
mkdirSync(folder, { recursive: true });

function planted(name: string, lines: readonly string[]): string {
  const file = join(folder, name);
  writeFileSync(file, lines.join("\n"));
  return file;
}

describe("docstringExamples", () => {
  it("finds fragments, indented programs, fences and examples of methods", () => {
    const file = planted("docstrings.ts", [
      "/** Twice. @example twice(2) // 4 */",
      "export const twice = (x: number) => 2 * x;",
      "export class Pair {",
      "  /**",
      "   * Swapped.",
      "   *",
      "   * @example",
      '   *   import { x } from "@scope/name";',
      "   *   new Pair().swap();",
      "   * @returns  Another pair.",
      "   * @example",
      "   * ```ts ignore",
      "   * swap(",
      "   * ```",
      "   */",
      "  swap() {}",
      "}",
    ]);
    const examples = docstringExamples(file).map(({ title, code, ignored }) => [
      title.replace(/^.*:/, ""),
      code.trim(),
      ignored,
    ]);
    expect(examples).toEqual([
      ["1 twice", "twice(2) // 4", false],
      ["4 swap", 'import { x } from "@scope/name";\n  new Pair().swap();', false],
      ["4 swap", "swap(", true],
    ]);
  });
});

describe("pagePrograms", () => {
  it("continues a program until the next import", () => {
    const page = planted("page.md", [
      ...["```ts", 'import "a";', "```", "text", "```ts", "more();", "```"],
      ...["```sh", "ls", "```", "```ts", 'import "b";', "```"],
      ...["```ts ignore", "wrong(", "```", "```ts rule.ts", "export {};", "```", "```ts rule.test.ts", "```"],
    ]);
    expect(pagePrograms(page).map(({ lines, kind, code }) => [lines, kind, code])).toEqual([
      [[1, 5], "program", 'import "a";\nmore();'],
      [[11], "program", 'import "b";'],
      [[14], "ignored", "wrong("],
      [[17], "file", "export {};"],
      [[20], "test", ""],
    ]);
  });

  it("refuses a mark it does not know", () => {
    expect(() => pagePrograms(planted("marked.md", ["```ts skip", "```"]))).toThrow('found "ts skip"');
  });
});

describe("writeAndCheck", () => {
  it("reports an example that does not type-check", () => {
    const [right, wrong] = [join(folder, "right.ts"), join(folder, "wrong.ts")];
    const errorsIn = writeAndCheck(
      new Map([
        [right, "export const one: number = 1;"],
        [wrong, 'export const one: number = "1";'],
      ]),
    );
    expect(errorsIn(right)).toEqual([]);
    expect(errorsIn(wrong)).toEqual([expect.stringContaining("not assignable to type 'number'")]);
  });
});
