import { readFileSync } from "node:fs";

/** What a page tells its reader to do, in order: lines for the shell, or a file to write. */
export type Instruction =
  | { readonly kind: "command"; readonly line: string }
  | { readonly kind: "file"; readonly name: string; readonly text: string };

/** The ```sh blocks of a page, line by line, and the blocks that are opened with a file name. */
export function instructionsOf(page: string): Instruction[] {
  const text = readFileSync(page, "utf8");
  return [...text.matchAll(/^```(sh|ts|js)(?: ([\w.-]+))?\n([\s\S]*?)^```$/gm)].flatMap(
    ([, language, name, body = ""]): Instruction[] => {
      if (name !== undefined) return [{ kind: "file", name, text: body }];
      if (language !== "sh") return [];
      return body
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => ({ kind: "command", line }));
    },
  );
}
