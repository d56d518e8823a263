import { describe, expect, it } from "vitest";
import { parseRuleSpecifier } from "../src/cli/rule-specifier.js";

describe("parseRuleSpecifier", () => {
  it.each([
    ["mean", { source: "mean", exported: null, options: {} }],
    ["trimmed-mean:fraction=0.2", { source: "trimmed-mean", exported: null, options: { fraction: 0.2 } }],
    [
      "median-of-means:blocks=20,center=coordinate",
      { source: "median-of-means", exported: null, options: { blocks: 20, center: "coordinate" } },
    ],
    ["./my-rule.js", { source: "./my-rule.js", exported: null, options: {} }],
    ["../rules/my-rule.js#krum", { source: "../rules/my-rule.js", exported: "krum", options: {} }],
    [
      "@somebody/rules#krum:byzantine=3,fast=true",
      { source: "@somebody/rules", exported: "krum", options: { byzantine: 3, fast: true } },
    ],
    ["C:\\rules\\mine.js#krum:n=1e-3", { source: "C:\\rules\\mine.js", exported: "krum", options: { n: 0.001 } }],
  ])("reads %s", (text, expected) => {
    expect(parseRuleSpecifier(text)).toEqual(expected);
  });

  it.each([
    "",
    ":fraction=1",
    "#name",
    "./rule.js#",
    "trimmed-mean:",
    "trimmed-mean:fraction",
    "trimmed-mean:=1",
    "mean:a=1,b",
  ])("refuses %j", (text) => {
    expect(() => parseRuleSpecifier(text)).toThrow(
      expect.objectContaining({ code: "BAD_ARGUMENT", status: 2 }) as Error,
    );
  });
});
