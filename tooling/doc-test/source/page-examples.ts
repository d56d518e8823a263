import { readFileSync } from "node:fs";

export interface Block {
  /** Line of the page on which the block starts. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** What stands after the language on the opening line; after `ts`: nothing, `ignore`, or a file name. */
  readonly mark: string;
}

/** Every block of code of a Markdown page. */
export function codeBlocks(page: string): Block[] {
  const blocks: Block[] = [];
  const lines = readFileSync(page, "utf8").split("\n");
  for (let start = 0; start < lines.length; start++) {
    const opening = /^(\s*)(`{3,})\s*(\S*)\s*(.*?)\s*$/.exec(lines[start]!);
    if (!opening) continue;
    const [, , fence, language, mark] = opening as unknown as [string, string, string, string, string];
    let end = start + 1;
    while (end < lines.length && lines[end]!.trim() !== fence) end++;
    blocks.push({ line: start + 1, language, code: lines.slice(start + 1, end).join("\n"), mark });
    start = end;
  }
  return blocks;
}

export interface PageProgram {
  readonly lines: readonly number[];
  readonly file: string;
  readonly code: string;
  readonly kind: "program" | "file" | "test" | "ignored";
}

/**
 * The programs of a page. A block that imports something starts a program, a block that does not continues the one
 * before it. A block opened with a file name is a file for the others to import, or a test file when it is named so.
 */
export function pagePrograms(page: string): PageProgram[] {
  const programs: PageProgram[] = [];
  let current: number | null = null;
  for (const { line, language, code, mark } of codeBlocks(page)) {
    if (language !== "ts" && language !== "typescript") continue;
    if (mark === "ignore") {
      programs.push({ lines: [line], file: "", code, kind: "ignored" });
    } else if (mark.endsWith(".ts")) {
      programs.push({ lines: [line], file: mark, code, kind: mark.endsWith(".test.ts") ? "test" : "file" });
    } else if (mark !== "") {
      throw new Error(`${page}:${line}: expected "ts", "ts ignore" or "ts name.ts", found "ts ${mark}".`);
    } else if (current === null || /^import\b/m.test(code)) {
      current = programs.length;
      programs.push({ lines: [line], file: `line-${line}.ts`, code, kind: "program" });
    } else {
      const begun: PageProgram = programs[current]!;
      programs[current] = { ...begun, lines: [...begun.lines, line], code: `${begun.code}\n${code}` };
    }
  }
  return programs;
}
