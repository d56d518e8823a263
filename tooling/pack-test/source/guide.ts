import { pagePrograms, type PageProgram } from "@tooling/doc-test/page-examples.js";
import { readFileSync } from "node:fs";

/** A program of a page, with the command that the page runs it by. */
export interface GuideProgram {
  readonly line: number;
  readonly code: string;
  /** `node` or `npx tsx`. */
  readonly runner: string;
  readonly file: string;
}

/** What a page with programs tells its reader to do. */
export interface Guide {
  /** Packages of all `npm install …`. */
  readonly installed: readonly string[];
  readonly programs: readonly GuideProgram[];
  /** Blocks that are opened with a file name: what programs import, and tests. */
  readonly files: readonly PageProgram[];
}

/** Reads a page. Its first program runs by the first command such as `node x.mjs`, and so on; further ones by the last. */
export function readGuide(page: string): Guide {
  const text = readFileSync(page, "utf8");
  const installed = [...text.matchAll(/npm install ([^`\n;]+)/g)]
    .flatMap(([, words]) => words!.split(" "))
    .filter((word) => word !== "" && !word.startsWith("-"));
  const commands = [...text.matchAll(/\b(node|npx tsx) ([\w-]+\.m?[jt]s)\b/g)].map(([, runner, file]) => ({
    runner: runner!,
    file: file!,
  }));
  const blocks = pagePrograms(page);
  const programs = blocks.filter(({ kind }) => kind === "program");
  if (programs.length > 0 && commands.length === 0)
    throw new Error(`${page}: expected a command such as "node x.mjs" or "npx tsx x.mts", found none.`);
  return {
    installed: [...new Set(installed)],
    programs: programs.map(({ lines, code }, index) => ({
      line: lines[0]!,
      code,
      ...(commands[index] ?? commands.at(-1)!),
    })),
    files: blocks.filter(({ kind }) => kind === "file" || kind === "test"),
  };
}

/** What a text imports, but for its own files. */
export const importedEntries = (code: string): string[] => [
  ...new Set([...code.matchAll(/^(?:import|}) (?:.*?from )?"([^."][^"]*)"/gm)].map(([, specifier]) => specifier!)),
];

/** `@robgrad/tensor` of `@robgrad/tensor/testing`. */
export const packageOf = (specifier: string): string => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)![0];

/** Numbers that comments behind `console.log(…);` promise, as they are written there. */
export function promisedNumbers(code: string): string[] {
  const comments = [...code.matchAll(/^.*console\.log\(.*\);? \/\/ (.*)$/gm)].map(([, comment]) => comment!);
  return comments.flatMap((comment) => comment.match(/(?<![\w.^])[-−]?\d+(?:\.\d+)?(?![\w^])/g) ?? []);
}

/** Whether one of the numbers that were printed is the promised one, rounded to its digits. */
export function isPrinted(promised: string, printed: string): boolean {
  const digits = promised.split(".")[1]?.length ?? 0;
  const value = Number(promised.replace("−", "-"));
  const found = printed.match(/-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/g) ?? [];
  return found.some((text) => Number(Number(text).toFixed(digits)) === value);
}
