import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { breastCancer } from "../src/breast-cancer.js";
import { digits } from "../src/digits.js";
import { iris, readCsv, type Dataset } from "../src/index.js";
import { wine } from "../src/wine.js";
import { rowsOf } from "./arrays.js";
import { coded } from "./coded.js";

const file = (name: string) => readFileSync(new URL(`../data/${name}`, import.meta.url));
/** The first line of these files counts rows and features and is shorter than the others. */
const withoutFirstLine = (name: string) => file(name).toString().replace(/^.*\n/, "");
const counts = ({ labels, classNames }: Dataset) =>
  classNames.map((_, k) => labels.values.filter((label) => label === k).length);

describe("iris", () => {
  it("equals Fisher's table row by row", () => {
    const table = readCsv(withoutFirstLine("iris-fisher.csv"), { label: -1 });
    const { features, labels } = iris({ source: "fisher" });
    expect(features).toEqual(table.features);
    expect(labels).toEqual(table.labels);
  });

  it("has UCI's two errata and nothing else changed by default", () => {
    const uci = rowsOf(iris().features);
    const fisher = rowsOf(iris({ source: "fisher" }).features);
    expect(uci.flatMap((row, n) => (String(row) === String(fisher[n]) ? [] : [n + 1]))).toEqual([35, 38]);
    expect([uci[34], uci[37]]).toEqual([
      [4.9, 3.1, 1.5, 0.1],
      [4.9, 3.1, 1.5, 0.1],
    ]);
    expect([fisher[34], fisher[37]]).toEqual([
      [4.9, 3.1, 1.5, 0.2],
      [4.9, 3.6, 1.4, 0.1],
    ]);
    expect(iris().source).toBe("uci");
  });

  it("has fifty flowers of each of three named species", () => {
    const data = iris();
    expect(data.classNames).toEqual(["setosa", "versicolor", "virginica"]);
    expect(data.featureNames).toHaveLength(4);
    expect(counts(data)).toEqual([50, 50, 50]);
  });

  it("hands out fresh arrays", () => {
    iris().features.values.fill(0);
    expect(iris().features.values[0]).toBe(5.1);
  });

  it("refuses an unknown source", () => {
    // @ts-expect-error: not a source
    expect(() => iris({ source: "R" })).toThrow(
      coded("BAD_ARGUMENT", 'expected source to be "uci" or "fisher", found "R"'),
    );
  });
});

describe.each([
  ["wine", wine, "wine.csv", [59, 71, 48]],
  ["breastCancer", breastCancer, "breast-cancer.csv", [212, 357]],
] as const)("%s", (_, load, name, sizes) => {
  it("equals its source file", () => {
    const table = readCsv(withoutFirstLine(name), { label: -1 });
    const data = load();
    expect(data.features).toEqual(table.features);
    expect(data.labels).toEqual(table.labels);
    expect(data.featureNames).toHaveLength(data.features.shape[1]!);
    expect(counts(data)).toEqual(sizes);
  });
});

describe("digits", () => {
  it("equals its source file", () => {
    const table = readCsv(gunzipSync(file("digits.csv.gz")), { label: -1 });
    const data = digits();
    expect(data.features).toEqual(table.features);
    expect(data.labels).toEqual(table.labels);
    expect(data.featureNames).toHaveLength(64);
    expect(counts(data)).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
  });
});
