import type { CommentDisplayPart } from "typedoc";
import { describe, expect, it } from "vitest";
import { docstringMarkdown } from "../src/docstring-markdown.js";

const text = (text: string): CommentDisplayPart => ({ kind: "text", text });
const markdownOf = (...parts: CommentDisplayPart[]): string =>
  docstringMarkdown(parts)
    .map((part) => part.text)
    .join("");

describe("docstringMarkdown", () => {
  it("makes indented lines after an empty one a formula, character by character", () => {
    expect(markdownOf(text("A sum.\n\n  y = a*b + c_1\n    + [d]\n\nMore."))).toBe(
      "A sum.\n\n```text\ny = a*b + c_1\n  + [d]\n```\n\nMore.",
    );
  });

  it("takes indentation within a paragraph for the margin of a tag", () => {
    expect(markdownOf(text("M. Holland (2019),\n               Descent."))).toBe("M. Holland (2019),\nDescent.");
  });

  it("lets brackets, asterisks and less-than signs stand for themselves", () => {
    expect(markdownOf(text("[K, N]: a * b * c < d_1"))).toBe("\\[K, N\\]: a \\* b \\* c \\< d\\_1");
  });

  it("keeps code, lists and links", () => {
    const link: CommentDisplayPart = { kind: "inline-tag", tag: "@link", text: "mean" };
    const code: CommentDisplayPart = { kind: "code", text: "`x[0]`" };
    expect(docstringMarkdown([text("- "), code, text(" of "), link])).toEqual([text("- "), code, text(" of "), link]);
  });
});
