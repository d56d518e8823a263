import {
  capture,
  concatenated,
  denseSamples,
  expanded,
  outer,
  summed,
  type SampleMatrix,
  type Tensor,
} from "@robgrad/tensor";
import { apply, input } from "@robgrad/tensor/kernels";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import {
  aggregate,
  all,
  geometricMedian,
  mean,
  median,
  medianOfMeans,
  normClip,
  softTruncation,
  sum,
  trimmedMean,
} from "../src/index.js";
import { columnsOf, meanOf, randomRows } from "./random-rows.js";

const w = { name: "0.W" };
const b = { name: "0.b" };

forEachDevice(({ device, dtype }) => {
  const close = { absolute: dtype === "float64" ? 1e-12 : 1e-5 };
  const tensor = (rows: readonly (readonly number[])[]) => device.tensor(rows, { dtype, allowNonFinite: true });
  /** Seven rows, of which row 4 (and those in `others`) holds a value that is not finite. */
  const spoilt = (value: number, ...others: readonly number[]) => {
    const rows = randomRows(7, 3, 1);
    for (const n of [4, ...others]) (rows[n] as number[])[1] = value;
    return rows;
  };
  const read = (results: ReadonlyMap<unknown, Tensor>) => Promise.all([...results.values()].map((t) => t.data()));
  const rejects = async (results: ReadonlyMap<unknown, Tensor>, message: string) => {
    const reads = await Promise.allSettled([...results.values()].map((t) => t.data()));
    const reasons = reads.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
    expect(reasons[0]).toEqual(
      expect.objectContaining({ code: "BAD_DATA", message: expect.stringContaining(message) }),
    );
    // A fault is reported once.
    await device.zeros([]).data();
  };

  describe('nonFinite: "reject"', () => {
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      it(`makes the next read reject, naming parameter and sample, for ${value}`, async () => {
        const results = aggregate(new Map([[b, denseSamples(tensor(spoilt(value, 6)))]]), median());
        await rejects(
          results,
          "aggregate: expected valid data, found a fault on the device: non-finite or out-of-range gradient of 0.b at sample 4",
        );
      });
    }

    const forms: Readonly<Record<string, () => SampleMatrix>> = {
      "delta of outer": () => outer(tensor(spoilt(Infinity)), tensor(randomRows(7, 2, 2))),
      "x of outer, where delta is 0": () => outer(device.zeros([7, 2], { dtype }), tensor(spoilt(Number.NaN))),
      expanded: () =>
        expanded(tensor(spoilt(Infinity)).reshape([7, 3, 1]), tensor(randomRows(7, 3, 2)).reshape([7, 3, 1])),
      concatenated: () =>
        concatenated([denseSamples(tensor(randomRows(7, 2, 2))), denseSamples(tensor(spoilt(Number.NaN)))]),
      summed: () => summed([denseSamples(tensor(randomRows(7, 3, 2))), denseSamples(tensor(spoilt(Number.NaN)))]),
      scaled: () => denseSamples(tensor(spoilt(Number.NaN))).scale(2),
      "products that overflow": () => {
        const huge = randomRows(7, 3, 1).map((row, n) =>
          row.map((v) => (n === 4 ? v * (dtype === "float64" ? 1e160 : 1e20) : v)),
        );
        return outer(tensor(huge), tensor(huge));
      },
    };
    for (const [form, matrix] of Object.entries(forms)) {
      it(`finds the sample in ${form}`, async () => {
        await rejects(aggregate(new Map([[w, matrix()]]), trimmedMean({ fraction: 0.3 })), "of 0.W at sample 4");
      });
    }

    it("names the first parameter of several, in a group as well", async () => {
      const gradients = () =>
        new Map([
          [w, denseSamples(tensor(randomRows(7, 2, 3)))],
          [b, denseSamples(tensor(spoilt(Number.NaN)))],
        ]);
      await rejects(aggregate(gradients(), mean()), "of 0.b at sample 4");
      await rejects(aggregate(gradients(), mean(), { group: all }), "of 0.b at sample 4");
    });

    it("lets gradients pass that are large and small", async () => {
      for (const scale of dtype === "float64" ? [1e-30, 1e30] : [1e-15, 1e15]) {
        const rows = randomRows(7, 3, 1).map((row) => row.map((value) => scale * value));
        for (const answers of await read(aggregate(new Map([[b, denseSamples(tensor(rows))]]), geometricMedian()))) {
          expect(answers.every(Number.isFinite)).toBe(true);
        }
      }
    });
  });

  describe('nonFinite: "drop"', () => {
    const drop = { nonFinite: "drop" } as const;

    it("averages the finite rows", async () => {
      for (const value of [Number.NaN, Infinity]) {
        const rows = spoilt(value, 0);
        const finite = rows.filter((_, n) => n !== 4 && n !== 0);
        const results = aggregate(new Map([[b, denseSamples(tensor(rows))]]), mean(), drop);
        await expectClose(results.get(b) as Tensor, columnsOf(finite).map(meanOf), close);
      }
    });

    it("puts the mean of the finite rows in the place of the others, for every rule and form", async () => {
      const d = spoilt(Number.NaN);
      const x = randomRows(7, 2, 2);
      const rows = d.map((row, n) => row.flatMap((value) => (x[n] as number[]).map((other) => value * other)));
      const average = columnsOf(rows.filter((_, n) => n !== 4)).map(meanOf);
      const replaced = rows.map((row, n) => (n === 4 ? average : row));
      for (const rule of [
        sum(),
        median(),
        softTruncation(),
        trimmedMean({ fraction: 0.2 }),
        normClip(),
        geometricMedian({ tolerance: 1e-12 }),
        medianOfMeans({ blocks: 3 }),
      ]) {
        const expected = (await rule(denseSamples(tensor(replaced))).toArray()) as number[];
        for (const matrix of [denseSamples(tensor(rows)), outer(tensor(d), tensor(x), { shape: [6] })]) {
          const results = aggregate(new Map([[w, matrix]]), rule, drop);
          await expectClose(results.get(w) as Tensor, expected, { absolute: dtype === "float64" ? 1e-8 : 1e-4 });
        }
      }
    });

    it("reports which samples it replaced, in any group", async () => {
      const gradients = new Map([
        [w, denseSamples(tensor(spoilt(Infinity, 0)))],
        [b, denseSamples(tensor(spoilt(Number.NaN)))],
      ]);
      await expectClose(aggregate(gradients, median(), drop).dropped as Tensor, [1, 0, 0, 0, 1, 0, 0]);
      const finite = new Map([[w, denseSamples(tensor(randomRows(7, 3, 4)))]]);
      await expectClose(aggregate(finite, median(), drop).dropped as Tensor, [0, 0, 0, 0, 0, 0, 0]);
      expect(aggregate(finite, median()).dropped).toBeUndefined();
    });

    it("drops a sample from a whole group", async () => {
      const rows = randomRows(7, 2, 3);
      const results = aggregate(
        new Map([
          [w, denseSamples(tensor(rows))],
          [b, denseSamples(tensor(spoilt(Number.NaN)))],
        ]),
        mean(),
        { ...drop, group: all },
      );
      await expectClose(results.get(w) as Tensor, columnsOf(rows.filter((_, n) => n !== 4)).map(meanOf), close);
    });

    it("changes nothing where all rows are finite", async () => {
      const g = denseSamples(tensor(randomRows(7, 3, 4)));
      const results = aggregate(new Map([[b, g]]), median(), drop);
      await expectClose(results.get(b) as Tensor, (await median()(g).toArray()) as number[], close);
    });

    it("reports a batch without a finite row", async () => {
      const rows = randomRows(3, 2, 1).map(() => [Number.NaN, 1]);
      await rejects(
        aggregate(new Map([[b, denseSamples(tensor(rows))]]), mean(), drop),
        "non-finite value of every gradient of 0.b",
      );
    });
  });

  describe("a captured step", () => {
    const rule = () => trimmedMean({ fraction: 0.2 });
    const clean = randomRows(7, 3, 1);
    const bad = spoilt(Number.NaN);

    it('rejects the read of a replayed batch that is not finite, updates nothing, and goes on: "reject"', async () => {
      const parameter = Object.assign(device.cell(device.zeros([3], { dtype })), { name: "0.b" });
      const own = rule();
      const step = capture((rows: Tensor) => {
        const gradient = aggregate(new Map([[parameter, denseSamples(rows)]]), own).get(parameter) as Tensor;
        // As optimizers do it.
        parameter.update(apply("sub", input(0), input(1)), [gradient]);
        return gradient.sum();
      });
      for (let k = 0; k < 3; k++) await step(tensor(clean)).data();
      const before = (await parameter.value.toArray()) as number[];
      const loss = step(tensor(bad));
      await expect(loss.data()).rejects.toMatchObject({
        code: "BAD_DATA",
        message: expect.stringContaining("gradient of 0.b at sample 4"),
      });
      await expectClose(parameter.value, before);
      await step(tensor(clean)).data();
      const after = (await parameter.value.toArray()) as number[];
      expect(after.every((value, d) => Number.isFinite(value) && value !== before[d])).toBe(true);
      step.dispose();
      parameter.dispose();
    });

    it('replaces rows of a replayed batch and tells which: "drop"', async () => {
      const own = rule();
      const step = capture((rows: Tensor) => {
        const answer = aggregate(new Map([[b, denseSamples(rows)]]), own, { nonFinite: "drop" });
        return { gradient: answer.get(b) as Tensor, dropped: answer.dropped as Tensor };
      });
      for (let k = 0; k < 2; k++) await step(tensor(clean)).gradient.data();
      const average = columnsOf(bad.filter((_, n) => n !== 4)).map(meanOf);
      const replaced = bad.map((row, n) => (n === 4 ? average : row));
      const { gradient, dropped } = step(tensor(bad));
      await expectClose(dropped, [0, 0, 0, 0, 1, 0, 0]);
      await expectClose(gradient, (await rule()(denseSamples(tensor(replaced))).toArray()) as number[], close);
      await expectClose(step(tensor(clean)).dropped, [0, 0, 0, 0, 0, 0, 0]);
      step.dispose();
    });
  });
});
