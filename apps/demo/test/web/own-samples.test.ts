import { pushOutliers, flipLabels } from "@robgrad/datasets";
import { wine } from "@robgrad/datasets/wine";
import { generator, openDevice, type Device } from "@robgrad/tensor";
import Papa from "papaparse";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OwnData } from "../../src/web/worker/own-data/own-data.js";
import { badCells, ownSamples } from "../../src/web/worker/own-data/own-samples.js";
import { standardized } from "../../src/web/worker/own-data/standardized.js";
import { readTextTable } from "../../src/web/worker/own-data/text-table.js";

const table = (text: string) => readTextTable(new Blob([text]), null, () => undefined);
const rows = (count: number, line: (k: number) => string) =>
  Array.from({ length: count }, (_, k) => line(k)).join("\n");

describe("standardized", () => {
  it("divides by 1.4826 median absolute deviations, or the standard deviation where that is 0, and leaves out what does not vary", () => {
    const { x, constant } = standardized({
      // Medians 3, 5, 0; deviations 1, 0, 0.
      values: Float64Array.from([1, 5, 0, 2, 5, 0, 3, 5, 0, 4, 5, 5, 1e9, 5, 0]),
      shape: [5, 3],
    });
    expect(constant).toEqual([1]);
    expect(x.shape).toEqual([5, 2]);
    // One 5 among five: mean 1, variance (4·1 + 16)/5 = 4.
    const expected = [-2 / 1.4826, 0, -1 / 1.4826, 0, 0, 0, 1 / 1.4826, 2.5, 1e6, 0];
    x.values.forEach((value, k) => expect(value).toBeCloseTo(expected[k]!, 9));
  });
});

describe("badCells", () => {
  it("names every cell by row and column", async () => {
    const read = await table("a,b,c\n1,2,x\n1,NA,x\n1,2,\n1,2\n∞,1e999,y\n");
    expect(badCells(read, { label: 2, features: [0, 1] })).toEqual({
      rows: 4,
      cells: 5,
      first: [
        { row: 3, column: "b", expected: "a number", found: "NA" },
        { row: 4, column: "c", expected: "a label", found: "" },
        { row: 5, column: "c", expected: "3 cells", found: "2" },
        { row: 6, column: "a", expected: "a number", found: "∞" },
        { row: 6, column: "b", expected: "a number", found: "1e999" },
      ],
    });
    expect(badCells(read, { label: 2, features: [0] })).toMatchObject({ rows: 3, cells: 3 });
  });
});

describe("ownSamples", () => {
  it.each([
    ["too few rows", rows(19, (k) => `${k},${k % 2}`), "expected at least 20 rows without bad cells, found 19"],
    ["one class", rows(20, (k) => `${k},x`), "expected two classes or more in column 2, found x in every row"],
    ["too many classes", rows(60, (k) => `${k},x${k}`), "expected at most 50 classes in column 2, found 60"],
    ["a column that does not vary", rows(20, (k) => `1,${k % 2}`), "expected a column that varies, found none"],
  ])("refuses %s", async (_, text, message) => {
    const read = await table(text);
    expect(() => ownSamples(read, { label: 1, features: [0] })).toThrowError(message);
  });
});

describe("the ranking", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice("wasm");
  });
  afterAll(() => device.dispose());

  const { features, labels, featureNames, classNames } = wine();
  const width = featureNames.length;
  const csv = (values: ArrayLike<number>, classes: ArrayLike<number>) =>
    Papa.unparse([
      [...featureNames, "class"],
      ...Array.from(classes, (label, row) => [
        ...Array.from({ length: width }, (_, k) => values[row * width + k]!),
        classNames[label]!,
      ]),
    ]);
  const ranked = async (text: string, hidden: number) => {
    const data = await OwnData.open(new Blob([text]), null, () => undefined);
    const choice = { label: width, features: Array.from({ length: width }, (_, k) => k), hidden };
    return { data, ranking: await data.rank(device, choice, () => undefined) };
  };

  it("puts turned labels first, and exports all rows in this order", async () => {
    const turned = flipLabels(labels, { fraction: 0.05, generator: generator(1) });
    const { data, ranking } = await ranked(csv(features.values, turned.values), 0);
    const planted = new Set(Array.from(turned.rows, (row) => row + 2));
    const first = ranking.first.slice(0, planted.size).filter(({ row }) => planted.has(row));
    // Some of nine may look like their new class.
    expect(first.length).toBeGreaterThanOrEqual(7);
    const { data: lines } = Papa.parse<string[]>((await data.exported().text()).trim());
    expect(lines.length).toBe(1 + labels.values.length);
    expect(lines[0]!.slice(0, 3)).toEqual(["rank", "row", "distrust"]);
    expect(lines[1]!.slice(0, 2)).toEqual(["1", String(ranking.first[0]!.row)]);
    expect(new Set(lines.slice(1).map(([, row]) => row)).size).toBe(labels.values.length);
    // A row of the list is the file's.
    const top = ranking.first[0]!.row - 2;
    expect(lines[1]!.slice(-width - 1, -1).map(Number)).toEqual(
      Array.from(features.values.slice(top * width, (top + 1) * width)),
    );
  });

  it("puts displaced rows first, with a hidden layer, where the mean does not", async () => {
    const { values } = standardized(features).x;
    const pushed = pushOutliers(
      { values: Float64Array.from(values), shape: features.shape },
      { fraction: 0.05, factor: 20, generator: generator(1) },
    );
    const planted = new Set(Array.from(pushed.rows, (row) => row + 2));
    const { ranking } = await ranked(csv(pushed.values, labels.values), 16);
    const among = (list: typeof ranking.first) =>
      list.slice(0, planted.size).filter(({ row }) => planted.has(row)).length;
    expect(among(ranking.first)).toBeGreaterThanOrEqual(8);
    expect(among([...ranking.first].sort((a, b) => b.losses.mean - a.losses.mean))).toBeLessThan(among(ranking.first));
  });

  it("ranks by one column, too", async () => {
    const data = await OwnData.open(
      new Blob([rows(40, (k) => `${k % 2 === 0 ? k : 100 + k},${k % 2}`)]),
      null,
      () => undefined,
    );
    const ranking = await data.rank(device, { label: 1, features: [0], hidden: 0 }, () => undefined);
    expect(ranking.points.every(({ y }) => y === 0)).toBe(true);
    expect(ranking.rows).toBe(40);
  });
});
