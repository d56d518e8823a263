import { describe, expect, it } from "vitest";
import { trialData } from "../../src/study/trial-data.js";
import {
  cellKey,
  cellsThrough,
  contaminationKinds,
  fractions,
  nearest,
  strengths,
  type BreakdownCell,
} from "../../src/web/breakdown-cell.js";
import { breakdownData } from "../../src/web/worker/breakdown-data.js";

const settings = { seed: 4, protocol: "code", iterations: 10 } as const;
const clean = trialData({ ...settings, fraction: 0, factor: 1 }, 2);
const rows = (changed: (row: number) => boolean) => Array.from({ length: 100 }, (_, row) => row).filter(changed);
const dataOf = (cell: BreakdownCell) => breakdownData({ settings, cell, trial: 2 });
const moved = ({ train }: ReturnType<typeof dataOf>) =>
  rows((row) => [0, 1].some((axis) => train.x.values[2 * row + axis] !== clean.plane.values[2 * row + axis]));
const relabelled = ({ train }: ReturnType<typeof dataOf>) =>
  rows((row) => train.labels.values[row] !== clean.train.labels.values[row]);

describe("the points of the breakdown lab", () => {
  it.each(contaminationKinds)("lie on two curves through the sliders, the nearest first: %s", (kind) => {
    const here = { kind, fraction: 0.1, strength: strengths[kind][1]! };
    const cells = cellsThrough(here);
    expect(cells[0]).toEqual(here);
    expect(cells).toHaveLength(fractions.length + strengths[kind].length - 1);
    expect(new Set(cells.map(cellKey)).size).toBe(cells.length);
    expect(cells.every(({ fraction, strength }) => fraction === 0.1 || strength === here.strength)).toBe(true);
    expect(cells.slice(1, 3).map(({ fraction }) => fraction)).toEqual(expect.arrayContaining([0.08]));
  });

  it("are one and the same where no row is spoilt", () => {
    expect(
      cellsThrough({ kind: "displaced", fraction: 0, strength: 10 })
        .map(cellKey)
        .filter((key) => key === "clean"),
    ).toHaveLength(1);
  });

  it("take the nearest strength in ratio", () => {
    expect(nearest([1, 10, 1000], 90)).toBe(10);
    expect(nearest([1, 10, 1000], 110)).toBe(1000);
    expect(nearest([1, 2], 1e4)).toBe(2);
  });
});

describe("the data of the breakdown lab", () => {
  it("are the study's where rows are displaced", () => {
    const { train, test } = trialData({ seed: 4, protocol: "code", fraction: 0.05, factor: 100 }, 2);
    const found = dataOf({ kind: "displaced", fraction: 0.05, strength: 100 });
    expect(found.train).toEqual(train);
    expect(found.test).toEqual(test);
    expect(moved(found)).toHaveLength(5);
  });

  it("have other classes and the same places where labels are flipped", () => {
    for (const strength of strengths.flips) {
      const found = dataOf({ kind: "flips", fraction: 0.2, strength });
      expect(relabelled(found)).toHaveLength(20);
      expect(moved(found)).toEqual([]);
      expect(found.test).toEqual(clean.test);
    }
  });

  it("turn each class into the next one where they always do", () => {
    const found = dataOf({ kind: "flips", fraction: 0.2, strength: 2 });
    for (const row of relabelled(found)) {
      expect(found.train.labels.values[row]).toBe((clean.train.labels.values[row]! + 1) % 3);
    }
  });

  it("have other places and the same classes where there is noise, ten times as far at ten times the strength", () => {
    const [near, far] = [1, 10].map((strength) => dataOf({ kind: "noise", fraction: 0.1, strength }));
    const spoilt = moved(near!);
    expect(spoilt).toHaveLength(10);
    expect(moved(far!)).toEqual(spoilt);
    expect(relabelled(near!)).toEqual([]);
    for (const row of spoilt) {
      const [from, to, beyond] = [clean.plane, near!.train.x, far!.train.x].map(({ values }) => values[2 * row]!);
      expect((beyond! - from!) / (to! - from!)).toBeCloseTo(10, 8);
    }
  });
});
