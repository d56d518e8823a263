import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCsv } from "../src/index.js";
import { matrices, rowsOf } from "./arrays.js";
import { coded } from "./coded.js";

describe("readCsv", () => {
  it("reads numbers under a header", () => {
    const { features, featureNames, source } = readCsv("length,width\n1.5,-2\n.5,3e2\n", { file: "boxes.csv" });
    expect(rowsOf(features)).toEqual([
      [1.5, -2],
      [0.5, 300],
    ]);
    expect(featureNames).toEqual(["length", "width"]);
    expect(source).toBe("boxes.csv");
  });

  it("reads numbers without a header and numbers the columns", () => {
    const { features, featureNames } = readCsv("1,2\n3,4");
    expect(rowsOf(features)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(featureNames).toEqual(["column 1", "column 2"]);
  });

  it("reads back what it was given", () => {
    fc.assert(
      fc.property(
        matrices(),
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.boolean(),
        fc.constantFrom(",", ";", "\t"),
        (x, end, quoted, delimiter) => {
          const cell = (value: number) => (quoted ? `"${value}"` : String(value));
          const text =
            rowsOf(x)
              .map((row) => row.map(cell).join(delimiter))
              .join(end) + end;
          expect(readCsv(text, { delimiter }).features).toEqual({ ...x, values: x.values.map((value) => value + 0) });
        },
      ),
    );
  });

  it("understands quotes, CRLF, a byte order mark, spaces and blank lines at the end", () => {
    const text = '\uFEFF"a, first","b ""second"""\r\n"1", 2 \r\n3,"4"\r\n\r\n\r\n';
    const { features, featureNames } = readCsv(text);
    expect(rowsOf(features)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(featureNames).toEqual(["a, first", 'b "second"']);
  });

  it("reads bytes", () => {
    expect(readCsv(new TextEncoder().encode("\uFEFFlänge\n1\n")).featureNames).toEqual(["länge"]);
    expect(() => readCsv(Uint8Array.of(0x31, 0xff), { file: "latin.csv" })).toThrow(
      coded("BAD_DATA", "latin.csv: expected text in UTF-8"),
    );
    // @ts-expect-error: not text
    expect(() => readCsv(undefined)).toThrow(
      coded("BAD_ARGUMENT", "expected a string or a Uint8Array, found undefined"),
    );
  });

  describe("labels", () => {
    const text = "petal,species\n1.4,setosa\n4.5,virginica\n4.1,setosa\n";

    it("numbers named classes in alphabetical order", () => {
      const { features, labels, classNames, featureNames } = readCsv(text, { label: "species" });
      expect([...labels.values]).toEqual([0, 1, 0]);
      expect(labels.values).toBeInstanceOf(Int32Array);
      expect(classNames).toEqual(["setosa", "virginica"]);
      expect(featureNames).toEqual(["petal"]);
      expect(features.shape).toEqual([3, 1]);
    });

    it("takes the order of classNames where given", () => {
      const classNames = ["virginica", "versicolor", "setosa"];
      expect([...readCsv(text, { label: "species", classNames }).labels.values]).toEqual([2, 0, 2]);
      expect([...readCsv("1,0\n2,2\n", { label: 1, classNames }).labels.values]).toEqual([0, 2]);
      expect([...readCsv("1,3\n2,1\n", { label: 1, classNames: ["1", "2", "3"] }).labels.values]).toEqual([2, 0]);
    });

    it("keeps integer classes as they are", () => {
      const { labels, classNames } = readCsv("0,5.5,1\n2,6.5,1\n0.0,7.5,1\n", { label: 0 });
      expect([...labels.values]).toEqual([0, 2, 0]);
      expect(classNames).toEqual(["0", "1", "2"]);
    });

    it("counts a negative column from the end", () => {
      const { features, labels } = readCsv("1,2,0\n3,4,1\n", { label: -1 });
      expect(rowsOf(features)).toEqual([
        [1, 2],
        [3, 4],
      ]);
      expect([...labels.values]).toEqual([0, 1]);
    });

    it("detects that there is no header although the classes are names", () => {
      const { features, classNames } = readCsv("5.1,3.5,setosa\n7.0,3.2,versicolor\n", { label: -1 });
      expect(features.shape).toEqual([2, 2]);
      expect(classNames).toEqual(["setosa", "versicolor"]);
    });

    it.each([
      ["a,y\n1,0\n2,1.5\n", 'row 3, column 2 (y): expected an integer in 0 … 65535 as class, found "1.5"'],
      ["a,y\n1,0\n2,-1\n", "row 3, column 2 (y)"],
      ["a,y\n1,0\n2,65536\n", "row 3, column 2 (y)"],
      ["a,y\n1,0\n2,setosa\n", 'row 3, column 2 (y): expected an integer in 0 … 65535 as class, found "setosa"'],
      ["a,y\n1,0\n2,\n", 'row 3, column 2 (y): expected a value, found ""'],
    ])("refuses a wrong label in %j", (csv, message) => {
      expect(() => readCsv(csv, { label: "y", file: "f.csv" })).toThrow(coded("BAD_DATA", `f.csv, ${message}`));
    });

    it("refuses a label that is not among the classNames", () => {
      const classNames = ["setosa", "versicolor"];
      expect(() => readCsv(text, { label: "species", classNames })).toThrow(
        coded("BAD_DATA", 'CSV, row 3, column 2 (species): expected one of "setosa", "versicolor", found "virginica"'),
      );
      expect(() => readCsv("1,0\n2,2\n", { label: 1, classNames })).toThrow(
        coded("BAD_DATA", "row 2, column 2: expected an integer in 0 … 1"),
      );
      expect(() => readCsv("1,1\n2,0\n", { label: 1, classNames: ["1", "2"] })).toThrow(
        coded("BAD_DATA", 'expected one of "1", "2", found "0"'),
      );
      expect(() => readCsv("1,0\n", { label: 1, classNames: ["a", "a"] })).toThrow(
        coded("BAD_ARGUMENT", 'distinct classNames, found "a", "a"'),
      );
    });
  });

  describe("columns", () => {
    const text = "id,name,height,weight\n17,ann,1.6,60\n18,bob,1.8,80\n";

    it("reads the chosen features in the chosen order", () => {
      const { features, featureNames } = readCsv(text, { features: ["weight", "height"] });
      expect(rowsOf(features)).toEqual([
        [60, 1.6],
        [80, 1.8],
      ]);
      expect(featureNames).toEqual(["weight", "height"]);
      expect(readCsv(text, { features: [3, 2] }).features).toEqual(features);
      expect([...readCsv(text, { features: ["height"], label: "name" }).labels.values]).toEqual([0, 1]);
    });

    it("refuses columns that do not exist, or exist twice", () => {
      expect(() => readCsv(text, { features: ["age"], file: "f.csv" })).toThrow(
        coded(
          "BAD_ARGUMENT",
          'expected one column named "age" in f.csv, found 0 among "id", "name", "height", "weight"',
        ),
      );
      expect(() => readCsv("a,a\n1,2\n", { label: "a" })).toThrow(coded("BAD_ARGUMENT", "found 2 among"));
      for (const label of [4, -5, 0.5])
        expect(() => readCsv(text, { label })).toThrow(
          coded("BAD_ARGUMENT", `expected a column in [-4, 4) of CSV, found ${label}`),
        );
      expect(() => readCsv("1\n2\n", { label: 0 })).toThrow(
        coded("BAD_ARGUMENT", "expected at least one column of features"),
      );
      expect(() => readCsv(text, { features: [] })).toThrow(
        coded("BAD_ARGUMENT", "expected at least one column of features"),
      );
    });
  });

  describe("header", () => {
    it("obeys when told", () => {
      expect(readCsv("1,2\n3,4\n", { header: true })).toMatchObject({
        featureNames: ["1", "2"],
        features: { shape: [1, 2] },
      });
      expect(() => readCsv("a,b\n1,2\n", { header: false })).toThrow(
        coded("BAD_DATA", 'CSV, row 1, column 1: expected a finite number, found "a"'),
      );
      expect(() => readCsv("a,b\n1,2\n", { header: false, label: "b" })).toThrow(
        coded("BAD_ARGUMENT", "expected columns by index when header is false"),
      );
    });

    it("takes a row with an unnamed index column for a header", () => {
      expect(readCsv(",a\n0,1\n").featureNames).toEqual(["", "a"]);
    });

    it("does not guess when the first row is half numbers", () => {
      expect(() => readCsv("1,x\n3,4\n", { file: "f.csv" })).toThrow(
        coded("BAD_DATA", /^f\.csv, row 1, column 2: .*say whether there is a header.*found "x"/),
      );
    });
  });

  describe("malformed text", () => {
    it.each([
      ["a,b\n1,2\n3,x\n", 'row 3, column 2 (b): expected a finite number, found "x"'],
      ["a,b\n1,2\n3,\n", 'row 3, column 2 (b): expected a value, found ""'],
      ["a,b\n1,2\n3,NaN\n", 'row 3, column 2 (b): expected a finite number, found "NaN"'],
      ["a,b\n1,2\nInfinity,4\n", 'row 3, column 1 (a): expected a finite number, found "Infinity"'],
      ["a,b\n1,2\n3,1e999\n", 'row 3, column 2 (b): expected a finite number, found "1e999"'],
      ["a,b\n1,2\n3,0x10\n", 'row 3, column 2 (b): expected a finite number, found "0x10"'],
      ["a,b\n1,2\n3,1 000\n", 'row 3, column 2 (b): expected a finite number, found "1 000"'],
      ["a,b\n1,2\n3\n", "row 3, column 2: expected 2 cells as in row 1, found 1"],
      ["a,b\n1,2\n3,4,5\n", "row 3, column 3: expected 2 cells as in row 1, found 3"],
      ["a,b\n1,2\n\n3,4\n", "row 3, column 2: expected 2 cells as in row 1, found 1"],
      ['a,b\n1,2\n3,"4\n', "row 3: expected quotes around whole cells, found"],
      ['a,b\n1,2\n3,"4"5\n', "row 3: expected quotes around whole cells, found"],
      ["", ": expected at least one row of data, found none"],
      ["\n\n", ": expected at least one row of data, found none"],
      ["a,b\n", ": expected at least one row of data, found none"],
    ])("is refused with its place: %j", (text, message) => {
      expect(() => readCsv(text, { file: "f.csv" })).toThrow(
        coded("BAD_DATA", message.startsWith(":") ? `f.csv${message}` : `f.csv, ${message}`),
      );
    });

    it("is shown in part when a cell is long", () => {
      expect(() => readCsv(`1\n${"x".repeat(1000)}\n`)).toThrow(coded("BAD_DATA", /found "x{40}…"$/));
    });

    it.each(["", ",,", '"', "\n"])("is not made by a delimiter such as %j", (delimiter) => {
      expect(() => readCsv("1,2", { delimiter })).toThrow(
        coded("BAD_ARGUMENT", "expected delimiter to be one character"),
      );
    });
  });
});
