import * as aggregators from "@robgrad/aggregators";
import { all, byParameter, isAggregator } from "@robgrad/aggregators";
import { signFlipping } from "@robgrad/aggregators/attacks";
import { denseSamples, openDevice } from "@robgrad/tensor";
import { describe, expect, it } from "vitest";
import { readLeaderboardCommandLine } from "../src/cli/leaderboard/command-line.js";
import { ranking, shareTable } from "../src/cli/leaderboard/tables.js";
import { attackedGradients } from "../src/leaderboard/attacked-gradients.js";
import { cellsOf, type Cell } from "../src/leaderboard/cell.js";
import { contaminationGroups } from "../src/leaderboard/contaminations.js";
import { Contest, contestData } from "../src/leaderboard/contest.js";
import { entrant, entrantNames } from "../src/leaderboard/entrants.js";
import type { Score } from "../src/leaderboard/leaderboard-result.js";
import { standings } from "../src/leaderboard/standings.js";
import type { Task } from "../src/leaderboard/task.js";
import { taskNames, tasks, type TaskName } from "../src/leaderboard/tasks.js";
import { builtInRules } from "../src/study/built-in-rules.js";
import { initialWeights } from "../src/study/network.js";

const cellOf = (task: TaskName, kind: Cell["kind"], fraction: number, strength: number): Cell => ({
  task,
  kind,
  fraction,
  strength,
});

describe("the table of built-in rules", () => {
  it("has every factory that the library exports", () => {
    const factories = Object.entries(aggregators as Readonly<Record<string, unknown>>).filter(([, exported]) => {
      if (typeof exported !== "function") return false;
      try {
        return isAggregator((exported as () => unknown)());
      } catch {
        return false;
      }
    });
    expect(factories.length).toBeGreaterThan(15);
    for (const [name] of factories) {
      expect(builtInRules).toContain(name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
    }
  });

  it("takes part in the leaderboard, each rule at least once", () => {
    for (const rule of builtInRules.filter((name) => name !== "sum")) {
      const own = entrantNames.filter((name) => name.split(/[:,] ?/).includes(rule));
      expect(own, rule).not.toHaveLength(0);
    }
    expect(new Set(entrantNames).size).toBe(entrantNames.length);
  });
});

describe("entrant", () => {
  it("reads options and grouping", () => {
    expect(entrant("norm-clip:maxNorm=2@layer")).toMatchObject({ group: "layer", stepScale: 1, remembers: false });
    expect(entrant("soft-truncation:center=median,spread=mad").group).toBe("all");
  });

  it.each([
    "norm-clop",
    "constructor",
    "norm-clip@everywhere",
    "norm-clip:minNorm=2",
    "norm-clip:maxNorm=",
    "norm-clip:maxNorm=-1",
    "means of 2, krum:byzantine=3",
  ])("refuses %s", (name) => {
    expect(() => entrant(name)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  });
});

describe("cellsOf", () => {
  it("has a clean cell for every task, and no backdoor where there are no classes", () => {
    const kinds = contaminationGroups.data;
    const cells = cellsOf({ tasks: taskNames, kinds, fractions: [0.1, 0.2], strengths: null });
    expect(cells.filter(({ kind }) => kind === null).map(({ task }) => task)).toEqual(taskNames);
    expect(cells).toHaveLength(3 + 3 * 3 * 2 * 2 + 2 * 2);
    expect(new Set(cells.filter(({ kind }) => kind === "backdoor").map(({ task }) => task))).toEqual(
      new Set(["iris", "digits"]),
    );
  });

  it("asks kinds without strength once, whatever strengths are wished for", () => {
    const cells = cellsOf({ tasks: ["iris"], kinds: ["mimic", "ipm"], fractions: [0.1], strengths: [3, 5] });
    expect(cells.map(({ kind, strength }) => [kind, strength])).toEqual([
      [null, 0],
      ["mimic", 0],
      ["ipm", 3],
      ["ipm", 5],
    ]);
  });
});

describe("readLeaderboardCommandLine", () => {
  it("takes names of kinds, and those of all that spoil data or rows", () => {
    const kinds = (text: string) => readLeaderboardCommandLine(["--kinds", text], () => {})!.kinds;
    expect(kinds("flips,rows")).toEqual(["flips", ...contaminationGroups.rows]);
    expect(kinds("data,flips")).toEqual(["displaced", "flips", "noise", "backdoor"]);
    expect(() => kinds("columns")).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  });

  it("takes a number of trials for all tasks or for each", () => {
    const trials = (...args: string[]) => readLeaderboardCommandLine(args, () => {})!.trials;
    expect(trials()).toEqual({});
    expect(trials("--trials", "4")).toMatchObject({ iris: 4, digits: 4, regression: 4 });
    expect(trials("--trials", "iris=3,digits=1")).toEqual({ iris: 3, digits: 1 });
    expect(trials("--quick")).toMatchObject({ iris: 1, regression: 1 });
    for (const wrong of ["0", "iris=", "iris=3,2", "lilies=3"]) {
      expect(() => trials("--trials", wrong)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    }
  });
});

describe("contestData", () => {
  const rows = (task: TaskName, kind: Cell["kind"], fraction: number, strength: number) => {
    const clean = contestData(cellOf(task, null, 0, 0), 3);
    const spoilt = contestData(cellOf(task, kind, fraction, strength), 3);
    const { x, target } = clean.train;
    const [count, width] = [x.shape[0]!, x.values.length / x.shape[0]!];
    return Array.from({ length: count }, (_, row) => row).filter(
      (row) =>
        target.values[row] !== spoilt.train.target.values[row] ||
        x.values
          .subarray(row * width, (row + 1) * width)
          .some((value, d) => value !== spoilt.train.x.values[row * width + d]),
    );
  };

  it.each([
    ["displaced", 10],
    ["flips", 1],
    ["flips", 2],
    ["noise", 1],
  ] as const)(
    "spoils the share of the rows that %s %d asks for, and those of a smaller share among them",
    (kind, strength) => {
      for (const task of ["iris", "regression"] as const) {
        const [few, many] = [rows(task, kind, 0.05, strength), rows(task, kind, 0.2, strength)];
        expect(few).toHaveLength(5);
        expect(many).toHaveLength(20);
        expect(many).toEqual(expect.arrayContaining(few));
      }
    },
  );

  it("keeps the test rows clean, and gives them the trigger when it asks whether a backdoor opens", () => {
    const clean = contestData(cellOf("iris", null, 0, 0), 5);
    expect(contestData(cellOf("iris", "noise", 0.2, 10), 5).test).toEqual(clean.test);
    const { test, attacked } = contestData(cellOf("iris", "backdoor", 0.2, 2), 5);
    expect(attacked).toBe(true);
    expect(test.x.shape[0]).toBe(clean.test.target.values.filter((label) => label !== 0).length);
    expect([...new Set(test.target.values)]).toEqual([0]);
    for (let row = 0; row < test.x.shape[0]!; row++)
      expect([...test.x.values.subarray(4 * row, 4 * row + 2)]).toEqual([2, 2]);
  });

  it("moves labels to the next class at strength 2, and mirrors targets at their mean in regression", () => {
    const [before, after] = [null, "flips" as const].map(
      (kind) => contestData(cellOf("iris", kind, 0.2, 2), 1).train.target,
    );
    const moved = [...after!.values.keys()].filter((row) => after!.values[row] !== before!.values[row]);
    for (const row of moved) expect(after!.values[row]).toBe((before!.values[row]! + 1) % 3);
    const [plain, mirrored] = [null, "flips" as const].map(
      (kind) => contestData(cellOf("regression", kind, 1, 2), 1).train.target.values,
    );
    const mean = Array.from(plain!).reduce((sum, value) => sum + value, 0) / plain!.length;
    plain!.forEach((value, row) => expect(mirrored![row]! - mean).toBeCloseTo(-2 * (value - mean), 12));
  });
});

describe("contestData of attacks on rows", () => {
  it.each(contaminationGroups.rows)("takes as many rows of every batch as %s asks for", (kind) => {
    const [few, many] = [0.05, 0.2].map((fraction) => contestData(cellOf("digits", kind, fraction, 0), 3));
    expect(many!.hostile).toHaveLength(10);
    many!.hostile.forEach((rows, k) => {
      expect(few!.hostile[k]).toHaveLength(3);
      expect(new Set(rows).size).toBe(10);
      expect(rows).toEqual(expect.arrayContaining([...few!.hostile[k]!]));
      for (const row of rows) expect(Math.floor(row / 50)).toBe(k);
    });
  });

  it("leaves the data as they are, but for the labels that are flipped", () => {
    const clean = contestData(cellOf("iris", null, 0, 0), 3);
    for (const kind of contaminationGroups.rows) {
      const { train, test, hostile } = contestData(cellOf("iris", kind, 0.2, 1), 3);
      expect({ x: train.x, test }).toEqual({ x: clean.train.x, test: clean.test });
      const wrong = [...train.target.values.keys()].filter(
        (row) => train.target.values[row] !== clean.train.target.values[row],
      );
      expect(wrong).toEqual(kind === "label-flipping" ? hostile.flat() : []);
    }
  });
});

describe("attackedGradients", () => {
  it("puts the attacker's rows in the places of the hostile samples, for every group by itself", async () => {
    const device = await openDevice("cpu");
    const gradients = new Map([
      ["a", denseSamples(device.tensor([1, 2, 3, 4, 5, 9, 70, 70, 80, 80], { shape: [5, 1, 2] }))],
      ["b", denseSamples(device.tensor([10, 20, 60, 70, 80], { shape: [5, 1] }))],
    ]);
    // Samples 1 and 3 of the batch as it came are hostile, and stand last.
    const order = device.tensor([0, 3, 1, 4, 2], { dtype: "int32" });
    const own = { all: ["70,70,70,80,80,80"], byParameter: ["70,70,80,80", "70,80"] };
    for (const [name, group] of Object.entries({ all, byParameter })) {
      const seen: Promise<ArrayLike<number>>[] = [];
      const found = attackedGradients(gradients, group, order, 2, (rows) => {
        seen.push(rows.copy().data());
        return signFlipping();
      });
      expect(found.get("a")!.shape).toEqual([1, 2]);
      expect([...(await found.get("a")!.rows().data())]).toEqual([1, 2, -3, -5, 3, 4, -3, -5, 5, 9]);
      expect([...(await found.get("b")!.rows().data())]).toEqual([10, -30, 20, -30, 60]);
      expect((await Promise.all(seen)).map((rows) => Array.from(rows).join())).toEqual(own[name as keyof typeof own]);
    }
    device.dispose();
  });
});

describe("Contest", () => {
  it("solves regression as least squares does", async () => {
    const device = await openDevice("cpu");
    const cell = cellOf("regression", null, 0, 0);
    const task = { ...tasks.regression, batch: 100, steps: 2000 };
    const contest = new Contest(device, task, entrant("mean"));
    const { train, test } = contestData(cell, 2);
    expect(await contest.run(cell, 2)).toBeCloseTo(unexplained(leastSquares(train), test), 4);
    contest.dispose();
    device.dispose();
  });

  it("gives the same answer for a seed whatever was run before, also for a rule with memory", async () => {
    const device = await openDevice("cpu");
    const task = { ...tasks.regression, steps: 12 };
    const [cell, other] = [cellOf("regression", "flips", 0.2, 1), cellOf("regression", "displaced", 0.1, 1e4)];
    for (const rule of ["norm-clip:maxNorm=2", "centered-clip"]) {
      const contest = new Contest(device, task, entrant(rule));
      const alone = await contest.run(cell, 7);
      await contest.run(other, 8);
      expect(await contest.run(cell, 7)).toBe(alone);
      contest.dispose();
    }
    device.dispose();
  });

  it("gives the same answer for a seed whatever was run before, also for attacks that draw or ask a rule with memory", async () => {
    const device = await openDevice("cpu");
    const task = { ...tasks.regression, steps: 4 };
    for (const rule of ["norm-clip:maxNorm=2", "centered-clip"]) {
      const contest = new Contest(device, task, entrant(rule));
      for (const kind of ["gaussian", "opt-alie"] as const) {
        const alone = await contest.run(cellOf("regression", kind, 0.2, 1), 7);
        await contest.run(cellOf("regression", kind, 0.2, 1), 8);
        await contest.run(cellOf("regression", "mimic", 0.1, 0), 7);
        expect(await contest.run(cellOf("regression", kind, 0.2, 1), 7)).toBe(alone);
        expect(await contest.run(cellOf("regression", null, 0, 0), 7)).not.toBe(alone);
      }
      contest.dispose();
    }
    device.dispose();
  });

  it.each([
    ["sign-flipping", 0],
    ["ipm", 2],
    ["alie", 1.5],
    ["mimic", 0],
    ["inf", 0],
    ["label-flipping", 0],
  ] as const)("trains against %s as plain loops do", async (kind, strength) => {
    const device = await openDevice("cpu");
    const task = { ...tasks.regression, steps: 30 };
    const contest = new Contest(device, task, entrant("mean"));
    for (const fraction of [0.05, 0.2]) {
      const cell = cellOf("regression", kind, fraction, strength);
      expect(await contest.run(cell, 4)).toBeCloseTo(attackedInLoops(cell, 4, task), 5);
    }
    contest.dispose();
    device.dispose();
  });

  it.each(["opt-ipm", "opt-alie"] as const)("finds no bound for a mean under %s", async (kind) => {
    const device = await openDevice("cpu");
    const contest = new Contest(device, tasks.regression, entrant("mean"));
    expect(await contest.run(cellOf("regression", kind, 0.1, 0), 0)).toBe(1);
    contest.dispose();
    device.dispose();
  });

  it("counts a training that leaves the finite numbers as an error of 1, and goes on", async () => {
    const device = await openDevice("cpu");
    const contest = new Contest(device, tasks.regression, entrant("mean"));
    expect(await contest.run(cellOf("regression", "displaced", 0.2, 1e4), 0)).toBe(1);
    expect(await contest.run(cellOf("regression", null, 0, 0), 0)).toBeLessThan(0.5);
    contest.dispose();
    device.dispose();
  });

  it.each(entrantNames)("takes steps with %s", async (name) => {
    const device = await openDevice("cpu");
    const contest = new Contest(device, { ...tasks.regression, steps: 2 }, entrant(name));
    const error = await contest.run(cellOf("regression", "flips", 0.1, 1), 0);
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThanOrEqual(1);
    contest.dispose();
    device.dispose();
  });
});

describe("standings", () => {
  const score = (rule: string, kind: Cell["kind"], errors: number[]): Score => ({
    rule,
    ...cellOf("iris", kind, 0.1, 1),
    errors,
  });

  it("orders rules by the regret of their worst cell", () => {
    const ranked = standings([
      score("a", null, [0.1, 0.1]),
      score("a", "flips", [0.5, 0.7]),
      score("b", null, [0.2, 0.2]),
      score("b", "flips", [0.4, 0.4]),
      score("absent from one cell", null, [0, 0.1]),
    ]);
    expect(ranked.map(({ rule }) => rule)).toEqual(["b", "a"]);
    const [b, a] = ranked;
    // The best of the clean cell is the rule that is only there.
    expect(b!.worst.regret.mean).toBeCloseTo(0.15, 12);
    expect(b!.meanRegret).toBeCloseTo(0.075, 12);
    expect(a!.places.map(({ regret }) => regret.mean)).toEqual([expect.closeTo(0.05, 12), expect.closeTo(0.2, 12)]);
  });
});

describe("ranking", () => {
  it("keeps spoilt data and spoilt rows apart, and leaves backdoors out", () => {
    const score = (rule: string, kind: Cell["kind"], error: number): Score => ({
      rule,
      ...cellOf("iris", kind, 0.1, 1),
      errors: [error],
    });
    const scores = [
      ...[score("a", null, 0.1), score("b", null, 0.2)],
      ...[score("a", "backdoor", 0.9), score("b", "backdoor", 0.1)],
      ...[score("a", "mimic", 0.4), score("b", "mimic", 0.3)],
    ];
    expect(ranking({ scores }, "data").map(({ rule }) => rule)).toEqual(["a", "b"]);
    expect(ranking({ scores }, "rows").map(({ rule }) => rule)).toEqual(["b", "a"]);
  });
});

describe("shareTable", () => {
  it("has the mean and the largest regret of every share apart", () => {
    const cells = (rule: string, few: readonly number[], many: readonly number[]): Score[] =>
      [few, many].flatMap((errors, k) =>
        (["mimic", "inf"] as const).map((kind, i) => ({
          rule,
          ...cellOf("iris", kind, [0.05, 0.1][k]!, 0),
          errors: [errors[i]!],
        })),
      );
    const scores = [...cells("a", [0.1, 0.4], [0.2, 0.2]), ...cells("b", [0.2, 0.2], [0.25, 0.75])];
    // The best are 0.1, 0.2, 0.2 and 0.2.
    expect(shareTable({ settings: { fractions: [0.05, 0.1] }, scores }, "rows")).toBe(
      [
        "| rule | mean, 5 % | worst, 5 % | mean, 10 % | worst, 10 % |",
        "| --- | --- | --- | --- | --- |",
        "| `a` | 0.100 | 0.200 | 0.000 | 0.000 |",
        "| `b` | 0.050 | 0.100 | 0.300 | 0.550 |",
      ].join("\n"),
    );
  });
});

interface Rows {
  readonly x: { readonly values: ArrayLike<number>; readonly shape: readonly number[] };
  readonly target: { readonly values: ArrayLike<number> };
}

/** Weights and intercept by the normal equations and elimination. */
function leastSquares({ x, target }: Rows): number[] {
  const [count, width] = [x.shape[0]!, x.shape[1]!];
  const row = (n: number) => [...Array.from({ length: width }, (_, d) => x.values[n * width + d]!), 1];
  const system = Array.from({ length: width + 1 }, () => new Array<number>(width + 2).fill(0));
  for (let n = 0; n < count; n++) {
    const values = [...row(n), target.values[n]!];
    system.forEach((equation, i) => equation.forEach((_, j) => (equation[j]! += values[i]! * values[j]!)));
  }
  system.forEach((pivot, i) => {
    const scale = pivot[i]!;
    pivot.forEach((value, j) => (pivot[j] = value / scale));
    system.forEach((equation, k) => {
      const factor = equation[i]!;
      if (k !== i) equation.forEach((value, j) => (equation[j] = value - factor * pivot[j]!));
    });
  });
  return system.map((equation) => equation[width + 1]!);
}

function unexplained(weights: readonly number[], { x, target }: Rows): number {
  const [count, width] = [x.shape[0]!, x.shape[1]!];
  const targets = Array.from(target.values);
  const mean = targets.reduce((sum, value) => sum + value, 0) / count;
  const [left, total] = targets.reduce(
    ([residuals, spread], value, n) => {
      const prediction = weights.reduce((sum, w, d) => sum + w * (d === width ? 1 : x.values[n * width + d]!), 0);
      return [residuals! + (value - prediction) ** 2, spread! + (value - mean) ** 2];
    },
    [0, 0],
  );
  return left! / total!;
}

/** The error of a linear model that takes steps of the mean of honest and hostile gradients, in float64 and plain loops. */
function attackedInLoops({ kind, ...cell }: Cell, seed: number, { steps, stepSize, batch, reach }: Task): number {
  const { train, test, hostile, weights } = contestData({ kind, ...cell }, seed);
  const width = train.x.shape[1]!;
  const start = initialWeights(weights, [width, 1], reach)[0]!;
  let w = [...start.W.values, ...start.b.values];
  const gradient = (row: number) => {
    const x = [...train.x.values.subarray(row * width, (row + 1) * width), 1];
    const residual = x.reduce((sum, value, d) => sum + value * w[d]!, 0) - train.target.values[row]!;
    return x.map((value) => 2 * residual * value);
  };
  const mean = (rows: readonly number[][]) =>
    w.map((_, d) => rows.reduce((sum, row) => sum + row[d]!, 0) / rows.length);
  for (let k = 0; k < steps; k++) {
    const part = k % hostile.length;
    const bad = hostile[part]!;
    const good = Array.from({ length: batch }, (_, n) => part * batch + n).filter((row) => !bad.includes(row));
    const honest = good.map(gradient);
    const center = mean(honest);
    const spread = mean(honest.map((row) => row.map((value, d) => (value - center[d]!) ** 2))).map((variance) =>
      Math.sqrt((variance * honest.length) / (honest.length - 1)),
    );
    const sent: Readonly<Partial<Record<NonNullable<Cell["kind"]>, number[]>>> = {
      "sign-flipping": center.map((value) => -value),
      ipm: center.map((value) => -2 * value),
      alie: center.map((value, d) => value + 1.5 * spread[d]!),
      mimic: honest[0]!,
      inf: center,
      "label-flipping": mean(bad.map(gradient)),
    };
    const answer = mean([...honest, ...bad.map(() => sent[kind!]!)]);
    w = w.map((value, d) => value - stepSize * answer[d]!);
  }
  return unexplained(w, test);
}
