import type { CommentDisplayPart } from "typedoc";

const isFormula = (line: string): boolean => /^ {2,}(?![-*] |\d+\. )\S/.test(line);

const escaped = (text: string): string =>
  text.replace(/[\\*_[\]<>]/g, (character) => `\\${character}`).replace(/^#/gm, "\\#");

/** The lines of a comment; a piece of code with line breaks of its own belongs to the line on which it starts. */
function linesOf(parts: readonly CommentDisplayPart[]): CommentDisplayPart[][] {
  const lines: CommentDisplayPart[][] = [[]];
  for (const part of parts) {
    if (part.kind !== "text" && part.kind !== "relative-link") {
      lines.at(-1)!.push(part);
      continue;
    }
    // What Markdown takes for a link is an index or an interval here.
    part.text.split("\n").forEach((text, index) => {
      if (index > 0) lines.push([]);
      if (text !== "") lines.at(-1)!.push({ kind: "text", text });
    });
  }
  return lines;
}

const textOf = (line: readonly CommentDisplayPart[]): string => line.map((part) => part.text).join("");

/**
 * The Markdown of a doc comment, which is plain text but for `code`, lists and links: brackets and asterisks stand for
 * themselves, and indented lines after an empty one are formulas.
 */
export function docstringMarkdown(parts: readonly CommentDisplayPart[]): CommentDisplayPart[] {
  const markdown: CommentDisplayPart[] = [];
  let formula: string[] = [];
  let isAfterBlank = true;
  const endFormula = () => {
    if (formula.length === 0) return;
    const margin = Math.min(...formula.map((line) => line.search(/\S/)));
    const text = formula.map((line) => line.slice(margin)).join("\n");
    markdown.push({ kind: "code", text: `\`\`\`text\n${text}\n\`\`\`` }, { kind: "text", text: "\n" });
    formula = [];
  };
  for (const line of linesOf(parts)) {
    const text = textOf(line);
    if (isFormula(text) && (isAfterBlank || formula.length > 0)) {
      formula.push(text);
      continue;
    }
    endFormula();
    for (const [index, part] of line.entries()) {
      if (part.kind !== "text") markdown.push(part);
      else markdown.push({ kind: "text", text: escaped(index === 0 ? part.text.trimStart() : part.text) });
    }
    markdown.push({ kind: "text", text: "\n" });
    isAfterBlank = text.trim() === "";
  }
  endFormula();
  if (markdown.at(-1)?.text === "\n") markdown.pop();
  return markdown;
}
