import { readFileSync } from "node:fs";
import ts from "typescript";
import { fromRoot } from "./workspace.js";

export interface Example {
  /** What a person looks for when the example fails: where it stands, and of what it is an example. */
  readonly title: string;
  readonly code: string;
  /** Marked by its author as not to be run. */
  readonly ignored: boolean;
}

/** The text of every `@example` of one doc comment, without the comment's own margin. */
function examplesOfComment(comment: string): string[] {
  const lines = comment
    .replace(/^\/\*\*/, "")
    .replace(/\*\/$/, "")
    .replace(/(\S)[ \t]+(@example\b)/g, "$1\n$2")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""));
  const examples: string[][] = [];
  let current: string[] | null = null;
  for (const line of lines) {
    const tag = /^\s*@(\w+)(.*)$/.exec(line);
    if (tag) {
      current = tag[1] === "example" ? [tag[2]!.trim()] : null;
      if (current) examples.push(current);
    } else {
      current?.push(line);
    }
  }
  return examples.map((example) => example.join("\n"));
}

/** Code of an example, out of its code fence if it has one. */
function unfenced(text: string): { code: string; ignored: boolean } {
  const fence = /^\s*```(.*)\n([\s\S]*?)\n\s*```\s*$/.exec(text);
  return fence ? { code: fence[2]!, ignored: /\bignore\b/.test(fence[1]!) } : { code: text, ignored: false };
}

function nameOf(node: ts.Node): string {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations.map((d) => d.name.getText()).join(", ");
  const named = node as Partial<ts.NamedDeclaration>;
  return named.name ? named.name.getText() : ts.SyntaxKind[node.kind];
}

/** Every `@example` in the doc comments of one source file. */
export function docstringExamples(file: string): Example[] {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
  const examples: Example[] = [];
  const visit = (node: ts.Node): void => {
    const comments = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
    for (const comment of comments) {
      if (comment.parent !== node) continue;
      const line = source.getLineAndCharacterOfPosition(comment.getStart()).line + 1;
      for (const text of examplesOfComment(comment.getText())) {
        examples.push({ title: `${fromRoot(file)}:${line} ${nameOf(node)}`, ...unfenced(text) });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return examples;
}
