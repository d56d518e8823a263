import fc from "fast-check";
import Papa from "papaparse";
import { describe, expect, it } from "vitest";
import { firstChoice } from "../../src/web/state/own-choice.js";
import { csvRecords } from "../../src/web/worker/own-data/csv-records.js";
import { mostRows, readTextTable } from "../../src/web/worker/own-data/text-table.js";

const file = (...parts: BlobPart[]) => new Blob(parts);
const read = (text: BlobPart, header: boolean | null = null) => readTextTable(file(text), header, () => undefined);
const recordsOf = async (blob: Blob) => {
  const records: (readonly string[])[] = [];
  for await (const piece of csvRecords(blob)) records.push(...piece.records);
  return records;
};

describe("csvRecords", () => {
  it("reads a file in pieces as papaparse reads it as a whole, wherever the pieces part", async () => {
    // Lines of several lengths, so that bytes 2²⁰ and 2²¹ fall within characters, quotes and line ends.
    const lines = Array.from(
      { length: 60_000 },
      (_, k) => `${k},"ü, ${"é".repeat(k % 7)}\r\nß ""${k % 3}""",${"€".repeat(k % 5)}`,
    );
    for (const before of ["", "x", "xy"]) {
      const text = `${before}\r\n${lines.join("\r\n")}\r\n`;
      const whole = Papa.parse<string[]>(text.replaceAll("\r\n", "\n"), { delimiter: ",", newline: "\n" }).data;
      const found = await recordsOf(file(text));
      expect(found.length).toBe(whole.length);
      expect(found.every((record, k) => record.join("|") === whole[k]!.join("|"))).toBe(true);
    }
  });

  it("guesses what separates cells", async () => {
    for (const delimiter of [",", ";", "\t", "|"]) {
      const text = ["a", "1", "2"].map((cell) => [cell, cell, cell].join(delimiter)).join("\n");
      expect((await recordsOf(file(text)))[2]).toEqual(["2", "2", "2"]);
    }
  });

  it.each([
    [
      "a picture",
      file(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3])),
      /^expected comma-separated text in UTF-8/,
    ],
    ["Latin-1", file(new Uint8Array([0x61, 0x2c, 0xfc, 0x0a])), /^expected comma-separated text in UTF-8/],
    ["stray quotes", file('a,b\n1,"2"3\n'), /^row 2: expected quotes around whole cells/],
    ["a quote that stays open", file(`a,b\n1,"${"2\n".repeat(2 ** 22)}`), /^row 2: expected a quote that is closed/],
  ])("refuses %s", async (_, blob, message) => {
    await expect(recordsOf(blob)).rejects.toThrowError(expect.objectContaining({ code: "BAD_DATA" }));
    await expect(recordsOf(blob)).rejects.toThrowError(message);
  });
});

describe("readTextTable", () => {
  it("counts rows as the file does, blank lines and names included", async () => {
    const { rows, summary } = await read("a,b\n\n1,x\n2,y\n");
    expect(summary).toMatchObject({
      rows: 2,
      kept: 2,
      header: true,
      preview: [
        ["1", "x"],
        ["2", "y"],
      ],
    });
    expect(rows).toEqual([
      { row: 3, cells: ["1", "x"] },
      { row: 4, cells: ["2", "y"] },
    ]);
  });

  it("takes the first row for names unless it holds a number, or as it is told", async () => {
    expect((await read("a,1\nb,2\n")).summary.header).toBe(false);
    expect((await read("a,1\nb,2\n")).summary.columns.map(({ name }) => name)).toEqual(["column 1", "column 2"]);
    expect((await read("a,1\nb,2\n", true)).summary.columns.map(({ name }) => name)).toEqual(["a", "1"]);
    expect((await read("a,b\n1,2\n", false)).summary.rows).toBe(2);
  });

  it("tells what a column holds", async () => {
    const { summary } = await read("n,v,t\n1,0.5,x\n2,NA,y\n3,,x\n");
    expect(summary.columns).toEqual([
      { name: "n", numbers: 3, empty: 0, texts: 0, values: 3, counts: true },
      { name: "v", numbers: 1, empty: 1, texts: 1, values: 2, counts: false },
      { name: "t", numbers: 0, empty: 0, texts: 3, values: 2, counts: false },
    ]);
  });

  it("keeps a sample of a long file in which every part has its share", async () => {
    const count = 5 * mostRows;
    const { rows, summary } = await read(Array.from({ length: count }, (_, k) => `${k},${k % 2}`).join("\n"));
    expect(summary).toMatchObject({ rows: count, kept: mostRows });
    expect(new Set(rows.map(({ row }) => row)).size).toBe(mostRows);
    expect(rows.every(({ row, cells }) => Number(cells[0]) === row - 1)).toBe(true);
    for (let fifth = 0; fifth < 5; fifth++) {
      const share = rows.filter(({ row }) => Math.floor((row - 1) / mostRows) === fifth).length;
      // The number of a fifth is hypergeometric, mean 4000, standard deviation 51.
      expect(Math.abs(share - mostRows / 5)).toBeLessThan(300);
    }
  });

  it.each([
    ["", "expected rows of data, found an empty file"],
    ["\n\n", "expected rows of data, found an empty file"],
    ["a,b\n", "expected rows of data, found names alone"],
  ])("refuses %j", async (text, message) => {
    await expect(read(text)).rejects.toThrowError(message);
  });

  it("never fails on text without quotes", async () => {
    const cell = fc.string({ maxLength: 6 }).map((text) => text.replace(/["\0\r\n,;\t|]/g, "") || "1");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { minLength: 2 }), async (lines) => {
        const text = `h\n${lines.map((cells) => cells.join(",")).join("\n")}`;
        const filled = lines.filter((cells) => cells.length > 1 || cells[0]!.trim() !== "").length;
        fc.pre(filled > 0);
        expect((await read(text, true)).summary.rows).toBe(filled);
      }),
      { numRuns: 50 },
    );
  });
});

describe("firstChoice", () => {
  it.each([
    ["its name", "class,a,b\n0,1,x\n1,2,y\n", 0, [1]],
    ["the last column of text", "a,b,c\n1,x,1\n2,y,2\n", 1, [0, 2]],
    ["the last column", "a,b\n1.5,0\n2.5,1\n", 1, [0]],
    ["nothing, where no column has two classes", "a,b\nx,1\nx,1\n", null, [1]],
  ])("takes a label by %s", async (_, text, label, features) => {
    expect(firstChoice((await read(text)).summary)).toEqual({ label, features, hidden: 0 });
  });

  it("does not learn from a column that counts the rows", async () => {
    const { summary } = await read("id,a,b\n7,1,x\n8,5,y\n9,3,x\n");
    expect(firstChoice(summary).features).toEqual([1]);
  });
});
