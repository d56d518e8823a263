import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fillPage } from "../src/page.js";
import { summaryOf } from "../src/summary.js";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "robgrad-bench-"))));
afterEach(() => rmSync(folder, { recursive: true }));

describe("fillPage", () => {
  const page = (text: string) => {
    const file = join(folder, "page.md");
    writeFileSync(file, text);
    return file;
  };

  it("replaces what stands in every block, again and again, and nothing else", async () => {
    const file = page(
      "# Page\n\n<!-- bench a, b -->\nold $1\n<!-- end of bench -->\n\nbetween\n\n<!-- bench -->\n<!-- end of bench -->\nafter\n",
    );
    for (const name of ["$& once", "twice"]) {
      await fillPage(file, (works) => `${name}: ${works.join("+") || "all"}`);
      expect(readFileSync(file, "utf8")).toBe(
        `# Page\n\n<!-- bench a, b -->\n\n${name}: a+b\n\n<!-- end of bench -->\n\nbetween\n\n<!-- bench -->\n\n${name}: all\n\n<!-- end of bench -->\nafter\n`,
      );
    }
    expect(readdirSync(folder)).toEqual(["page.md"]);
  });

  it("leaves a page as it is that has no block, or whose block cannot be filled", async () => {
    const bare = page("nothing\n");
    await expect(fillPage(bare, () => "")).rejects.toThrow("page.md: expected a block <!-- bench -->");
    const file = page("<!-- bench x -->\nold\n<!-- end of bench -->\n");
    const refuse = () => {
      throw new RangeError("x is missing");
    };
    await expect(fillPage(file, refuse)).rejects.toThrow("x is missing");
    expect(readFileSync(file, "utf8")).toContain("old");
  });
});

describe("summaryOf", () => {
  it("shows a median for everyone, times ours for peers, and why there are gaps", () => {
    const lines = summaryOf([
      {
        id: "step",
        title: "A step",
        notes: {},
        entries: [
          { contender: "ours", kind: "timed", median: 0.005, ratio: 1 },
          { contender: "theirs", kind: "timed", median: 1.5, ratio: 300.4 },
          { contender: "slow", kind: "differs", reason: "is 0.5 away" },
        ],
      },
      {
        id: "product",
        title: "A product",
        notes: {},
        entries: [{ contender: "ours", kind: "timed", median: 8, ratio: 1, gflops: 33.333 }],
      },
    ]).split("\n");
    const cells = lines.slice(0, 4).map((line) =>
      line
        .split("|")
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
    expect(cells[0]).toEqual(["work", "ours", "theirs", "slow"]);
    expect(cells[2]).toEqual(["A step (`step`)", "5 µs", "1.5 ms (300 ×)", "–"]);
    expect(cells[3]).toEqual(["A product (`product`)", "8 ms, 33.3 GFLOP/s", "–", "–"]);
    expect(lines.slice(5)).toEqual([
      "- `step`, slow: differs, is 0.5 away",
      "- `product`, theirs: not asked",
      "- `product`, slow: not asked",
    ]);
  });
});
