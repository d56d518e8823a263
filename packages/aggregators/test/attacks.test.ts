import { capture, denseSamples, generator, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import * as attacks from "../src/attacks.js";
import { clipping, compose, mean, nearestNeighborMixing, trimmedMean } from "../src/index.js";

const {
  aLittleIsEnough,
  gaussian,
  inf,
  innerProductManipulation,
  labelFlipping,
  mimic,
  optimalALittleIsEnough,
  optimalInnerProductManipulation,
  signFlipping,
} = attacks;

const coded = (code: string, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

/** The vectors of every example in ByzFL's documentation. */
const rows = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
];
/** The rule of its examples for the optimal attacks: TrMean(f=1) after NNM(f=1) and Clipping(c=2). */
const documented = compose(
  nearestNeighborMixing({ byzantine: 1 }),
  clipping({ maxNorm: 2 }),
  trimmedMean({ fraction: 0.25 }),
);

forEachDevice(
  ({ device, dtype }) => {
    const honest = () => device.tensor(rows, { dtype });
    const twice = (row: readonly number[]) => [[...row], [...row]];
    const close = { relative: dtype === "float64" ? 1e-8 : 1e-5 };

    describe("attacks", () => {
      const printed = {
        SignFlipping: [signFlipping(), [-4, -5, -6]],
        InnerProductManipulation: [innerProductManipulation(), [-8, -10, -12]],
        ALittleIsEnough: [aLittleIsEnough(), [8.5, 9.5, 10.5]],
        Mimic: [mimic(), [1, 2, 3]],
        Inf: [inf(), [Infinity, Infinity, Infinity]],
        LabelFlipping: [labelFlipping(), [4, 5, 6]],
        // Of one hostile vector.
        Optimal_InnerProductManipulation: [
          optimalInnerProductManipulation({ rule: documented }),
          [-2.74877907, -3.43597384, -4.1231686],
        ],
        Optimal_ALittleIsEnough: [
          optimalALittleIsEnough({ rule: documented }),
          [12.91985116, 13.91985116, 14.91985116],
        ],
      } as const;
      for (const [label, [attack, expected]] of Object.entries(printed)) {
        it(`are what ByzFL's documentation prints: ${label}`, async () => {
          expect(attack.label).toBe(label);
          if (label.startsWith("Optimal")) await expectClose(attack(honest(), 1), [[...expected]], close);
          else await expectClose(attack(honest(), 2), twice(expected), close);
        });
      }

      it("draw one normal row for all", async () => {
        const rng = device.rng(3);
        const found = gaussian({ rng, mu: 2, sigma: 5 })(honest(), 2);
        const { values } = generator(3).normal([3]);
        await expectClose(found, twice(Array.from(values, (z) => 2 + 5 * z)), { relative: 1e-5 });
        rng.dispose();
      });

      it("take the gradients of flipped labels", async () => {
        const flipped = device.tensor([[2, 4, 6]], { dtype });
        await expectClose(labelFlipping({ flipped })(honest(), 1), [[2, 4, 6]]);
      });

      it("leave a single honest gradient as it is where spread is all they add", async () => {
        await expectClose(aLittleIsEnough()(device.tensor([[1, 2]], { dtype }), 1), [[1, 2]]);
      });

      it("move a mean as far as the search goes", async () => {
        // 1 + 2 + … doubles while it helps, and against a mean it always does: τ = 1 + 2 + 4.
        const attack = optimalInnerProductManipulation({ rule: mean(), evaluations: 4, delta: 1 });
        await expectClose(attack(honest(), 1), [[-28, -35, -42]], close);
      });

      it("replay in a captured step", async () => {
        const attack = optimalALittleIsEnough({ rule: trimmedMean({ fraction: 0.25 }), evaluations: 3, delta: 1 });
        const step = capture((x: Tensor) => attack(x, 1));
        const other = honest().mul(-2).add(1);
        step(honest());
        step(honest());
        await expectClose(step(other), (await attack(other, 1).toArray()) as number[][], close);
        step.dispose();
      });

      it("do not touch the honest gradients", async () => {
        const given = honest();
        for (const [attack] of Object.values(printed)) attack(given, 1);
        await expectClose(given, rows);
      });
    });
  },
  { dtypes: ["float64", "float32"] },
);

describe("attacks", () => {
  it("refuse options out of range", () => {
    const rule = mean();
    const wrong: readonly (readonly [() => unknown, string])[] = [
      [() => innerProductManipulation({ tau: 0 }), "innerProductManipulation: expected tau > 0"],
      [() => aLittleIsEnough({ tau: Number.NaN }), "aLittleIsEnough: expected tau to be finite, found NaN"],
      [() => mimic({ epsilon: -1 }), "mimic: expected epsilon"],
      [() => gaussian({} as never), "gaussian: expected rng to be device.rng(seed), found undefined"],
      [() => optimalALittleIsEnough({ rule, ratio: 0.5 }), "ratio in (0.5, 1), found 0.5"],
      [() => optimalInnerProductManipulation({ rule, delta: 0 }), "delta to be finite and ≠ 0, found 0"],
    ];
    for (const [make, message] of wrong) expect(make).toThrow(coded("BAD_ARGUMENT", message));
    expect(() => optimalALittleIsEnough({ rule: ((g: unknown) => g) as never })).toThrow(
      coded("BAD_PLUGIN", "optimalALittleIsEnough: expected a rule made by defineAggregator"),
    );
  });
});

forEachDevice(
  ({ device, dtype }) => {
    it("attacks refuse what is no matrix of gradients, and a count that is none", () => {
      const x = device.tensor(rows, { dtype });
      expect(() => signFlipping()(device.ones([3], { dtype }), 1)).toThrow(
        coded("BAD_ARGUMENT", `SignFlipping: expected honest gradients [H, D] with H ≥ 1, found a tensor ${dtype} [3]`),
      );
      expect(() => signFlipping()(denseSamples(x) as never, 1)).toThrow(
        coded("BAD_ARGUMENT", "an object DenseSamples"),
      );
      expect(() => mimic()(x, 1.5)).toThrow(coded("BAD_ARGUMENT", "Mimic: expected count"));
      expect(() => mimic({ epsilon: 3 })(x, 1)).toThrow(coded("BAD_ARGUMENT", "Mimic: expected epsilon < 3"));
    });
  },
  { dtypes: ["float32"] },
);
