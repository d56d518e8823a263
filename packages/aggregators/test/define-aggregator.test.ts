import { codedError, denseSamples, openDevice, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import { defineAggregator, isAggregator, mean, type Aggregator } from "../src/index.js";

const coded = (code: string, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

forEachDevice(({ device, dtype }) => {
  const gradients = () =>
    denseSamples(
      device.tensor(
        [
          [1, 2],
          [3, 4],
          [5, 9],
        ],
        { dtype },
      ),
    );

  describe("defineAggregator", () => {
    it("makes a rule with a label", async () => {
      const rule = defineAggregator("half", (g) => g.mean().mul(0.5));
      expect(rule.label).toBe("half");
      expect(rule.name).toBe("half");
      expect("weights" in rule).toBe(false);
      await expectClose(rule(gradients()), [1.5, 2.5]);
    });

    it("keeps the weights of a rule that has some", async () => {
      const weights = (g: SampleMatrix) => g.device.full([g.samples], 0.25, { dtype: g.dtype });
      const rule = defineAggregator("quarter", (g) => g.combine(weights(g)), { weights });
      await expectClose(rule.weights?.(gradients()) ?? device.zeros([]), [0.25, 0.25, 0.25]);
    });

    const wrong: readonly (readonly [string, (g: SampleMatrix) => unknown, string])[] = [
      ["nothing", () => undefined, "found undefined"],
      ["a number", () => 3, "found 3"],
      ["an array", () => [1, 2], "found an array"],
      ["a Promise", async (g) => g.mean(), "found a Promise"],
      ["a sample matrix", (g) => g, "found an object DenseSamples"],
      ["all rows", (g) => g.rows(), `found ${dtype} [3, 2]`],
      ["a scalar", (g) => g.mean().sum(), `found ${dtype} []`],
      ["a row of another length", (g) => g.squaredNorms(), `found ${dtype} [3]`],
      ["integers", (g) => g.mean().cast("int32"), "found int32 [2]"],
    ];
    for (const [what, rule, message] of wrong) {
      it(`refuses a rule that returns ${what}`, () => {
        const planted = defineAggregator("planted", rule as (g: SampleMatrix) => Tensor);
        expect(() => planted(gradients())).toThrow(
          coded("BAD_PLUGIN", `rule planted: expected it to return a tensor ${dtype} [2], ${message}`),
        );
      });
    }

    it("refuses a rule that answers from another device", async () => {
      const other = await openDevice("cpu");
      const planted = defineAggregator("planted", (g) => other.zeros([g.features], { dtype: g.dtype }));
      expect(() => planted(gradients())).toThrow(
        coded("BAD_PLUGIN", "rule planted: expected it to return a tensor on the gradients' device"),
      );
      other.dispose();
    });

    it("names a rule that throws, and keeps what it threw", () => {
      const cause = new TypeError("x is not a function");
      const planted = defineAggregator("planted", () => {
        throw cause;
      });
      expect(() => planted(gradients())).toThrow(
        coded("BAD_PLUGIN", "rule planted: expected a tensor [2], found that it throws: x is not a function"),
      );
      expect(() => planted(gradients())).toThrow(expect.objectContaining({ cause }));
      const text = defineAggregator("planted", () => {
        throw "text";
      });
      expect(() => text(gradients())).toThrow(coded("BAD_PLUGIN", "found that it throws: text"));
    });

    it("names a rule that asks for the impossible", () => {
      const planted = defineAggregator("planted", (g) => g.combine(g.mean()));
      expect(() => planted(gradients())).toThrow(
        coded("BAD_PLUGIN", "rule planted: expected a tensor [2], found that it throws: combine: expected shape [3]"),
      );
    });

    it("passes on what is the caller's to put right", () => {
      const planted = defineAggregator("planted", (g) => {
        throw codedError("BAD_ARGUMENT", `expected five samples or more, found ${g.samples}`);
      });
      expect(() => planted(gradients())).toThrow(
        coded("BAD_ARGUMENT", "rule planted: expected five samples or more, found 3"),
      );
      const gone = gradients();
      gone.rows().dispose();
      expect(() => mean()(gone)).toThrow(coded("DISPOSED", "mean"));
    });

    it("refuses gradients that are not a sample matrix, or hold no sample", () => {
      expect(() => mean()(device.ones([3, 2]) as never)).toThrow(
        coded(
          "BAD_ARGUMENT",
          "rule mean: expected a sample matrix, found a tensor float32 [3, 2]; denseSamples(rows) makes one",
        ),
      );
      expect(() => mean()(null as never)).toThrow(coded("BAD_ARGUMENT", "found null"));
      expect(() => mean()(denseSamples(device.zeros([0, 2], { dtype })))).toThrow(
        coded("BAD_ARGUMENT", "rule mean: expected at least one sample, found a sample matrix [0, 2]"),
      );
    });
  });
});

describe("defineAggregator", () => {
  it("wants a label and a function", () => {
    expect(() => defineAggregator("", (g) => g.mean())).toThrow(
      coded("BAD_PLUGIN", 'expected a label such as "trimmed-mean", found ""'),
    );
    expect(() => defineAggregator(((g: SampleMatrix) => g.mean()) as never, undefined as never)).toThrow(
      coded("BAD_PLUGIN", "expected a label"),
    );
    expect(() => defineAggregator("label", undefined as never)).toThrow(
      coded(
        "BAD_PLUGIN",
        'defineAggregator("label"): expected a function from a sample matrix to a tensor, found undefined',
      ),
    );
  });
});

describe("isAggregator", () => {
  it("knows rules by a brand that copies of the package share", () => {
    expect(isAggregator(mean())).toBe(true);
    expect(isAggregator(mean)).toBe(false);
    expect(isAggregator(null)).toBe(false);
    const foreign = Object.assign(() => null, { [Symbol.for("robgrad.aggregator")]: true, label: "foreign" });
    expect(isAggregator(foreign)).toBe(true);
  });

  it("is what the type demands", () => {
    const bare = (g: SampleMatrix) => g.mean();
    // @ts-expect-error A bare function is not a rule.
    const rule: Aggregator = bare;
    expect(isAggregator(rule)).toBe(false);
  });
});
