import { concatenated, denseSamples, expanded, generator, outer, summed, type SampleMatrix } from "@robgrad/tensor";
import { convolved } from "@robgrad/tensor/kernels";
import { forEachDevice } from "@robgrad/tensor/testing";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  adaptiveRobustClipping,
  bucketing,
  bulyan,
  caf,
  centeredClip,
  clipping,
  compose,
  dispersion,
  geometricMedian,
  krum,
  mean,
  median,
  medianOfMeans,
  meanAroundMedian,
  mEstimator,
  minimumDiameterAveraging,
  monna,
  multiKrum,
  nearestNeighborMixing,
  normClip,
  signMajority,
  smea,
  softTruncation,
  sum,
  trimmedMean,
  type Aggregator,
} from "../src/index.js";

interface Case {
  readonly samples: number;
  readonly q: number;
  readonly p: number;
  readonly scale: number;
  readonly seed: number;
}

const cases: fc.Arbitrary<Case> = fc.record({
  samples: fc.integer({ min: 1, max: 12 }),
  q: fc.integer({ min: 1, max: 4 }),
  p: fc.integer({ min: 1, max: 4 }),
  scale: fc.constantFrom(1e-10, 1e-5, 1, 1e5, 1e10, 1e15),
  seed: fc.nat(1e6),
});

/** Rules for gradients of a size. */
const rules: Readonly<Record<string, (of: Case) => Aggregator>> = {
  mean: () => mean(),
  sum: () => sum(),
  "soft truncation": () => softTruncation(),
  "soft truncation, median and MAD": () => softTruncation({ center: "median", spread: "mad" }),
  "soft truncation, floor": ({ scale }) => softTruncation({ varianceFloor: scale ** 2, correction: 0 }),
  "M-estimator, huber": () => mEstimator({ tolerance: 0, maximum: 20 }),
  "M-estimator, log-cosh, sd": () => mEstimator({ influence: "log-cosh", scale: "sd", tolerance: 0, maximum: 20 }),
  "soft truncation, smoothed": () => softTruncation({ smoothing: true }),
  "M-estimator, fair, MAD about the mean": () =>
    mEstimator({ influence: "fair", scale: "mad-about-mean", tolerance: 0, maximum: 20 }),
  "M-estimator, gudermannian, dispersion": () =>
    mEstimator({
      influence: "gudermannian",
      scale: dispersion({ floor: 0, tolerance: 0, maximum: 20 }),
      tolerance: 0,
      maximum: 20,
    }),
  "M-estimator, given scale": ({ scale }) => mEstimator({ scale, tolerance: 0, maximum: 20 }),
  "median of means": ({ samples }) => medianOfMeans({ blocks: Math.ceil(samples / 2) }),
  "median of means, coordinates": ({ samples }) =>
    medianOfMeans({ blocks: Math.ceil(samples / 2), center: "coordinate" }),
  "geometric median": () => geometricMedian({ tolerance: 1e-12 }),
  median: () => median(),
  "trimmed mean": () => trimmedMean({ fraction: 0.2 }),
  "norm clip": ({ scale }) => normClip({ maxNorm: 2 * scale }),
  "norm clip, quantile": () => normClip({ quantile: 0.5 }),
  "norm clip, automatic": ({ scale }) => normClip({ automatic: scale }),
  "centred clip": ({ scale }) => centeredClip({ maxNorm: scale, iterations: 2 }),
  "mean around median": ({ samples }) => meanAroundMedian({ byzantine: hostile(samples) }),
  "sign majority": ({ samples }) => (samples % 2 === 1 ? signMajority() : mean()),
  "medoid of means": ({ samples }) => medianOfMeans({ blocks: Math.ceil(samples / 2), center: "medoid" }),
  krum: ({ samples }) => (samples < 3 ? mean() : krum({ byzantine: Math.min(hostile(samples), samples - 3) })),
  "multi-krum": ({ samples }) =>
    samples < 3 ? mean() : multiKrum({ byzantine: Math.min(hostile(samples), samples - 3) }),
  bulyan: ({ samples }) => (samples < 7 ? mean() : bulyan({ byzantine: 1 })),
  "minimum diameter averaging": ({ samples }) => minimumDiameterAveraging({ byzantine: hostile(samples) }),
  smea: ({ samples }) => smea({ byzantine: Math.min(2, hostile(samples)) }),
  caf: ({ samples }) => caf({ byzantine: hostile(samples) }),
  monna: ({ samples }) => monna({ byzantine: hostile(samples) }),
  "clipping, bucketing, median": ({ scale }) =>
    compose(clipping({ maxNorm: 2 * scale }), bucketing({ size: 2 }), median()),
  // Mixing first: rows cut to one norm lie equally far from others but for rounding.
  "mixing, adaptive clipping, mean": ({ samples }) =>
    compose(
      nearestNeighborMixing({ byzantine: hostile(samples) }),
      adaptiveRobustClipping({ byzantine: hostile(samples) }),
      mean(),
    ),
};

/** The most hostile samples that a majority is left beside. */
function hostile(samples: number): number {
  return Math.floor((samples - 1) / 2);
}

const geometric = new Set(["median of means", "geometric median"]);

/** Rules that choose: rows are held exactly in all forms, so that rounding does not decide between equals. */
const choosing = new Set([
  "mean around median",
  "sign majority",
  "medoid of means",
  "krum",
  "multi-krum",
  "bulyan",
  "minimum diameter averaging",
  "smea",
  "monna",
  "mixing, adaptive clipping, mean",
]);

forEachDevice(({ device, dtype, quick, epsilon }) => {
  /** The same rows in six forms. Values have 8 bits, so that float32 forms products and sums of them exactly. */
  function forms({ samples, q, p, scale, seed }: Case): Readonly<Record<string, SampleMatrix>> {
    const rng = generator(seed);
    const draw = (count: number) => Array.from(rng.normal([count]).values, (value) => Math.round(16 * value) / 16);
    const tensor = (values: readonly number[], shape: readonly number[]) =>
      device.tensor([...values], { shape, dtype });
    const d = draw(samples * q);
    const x = draw(samples * p);
    const delta = tensor(d, [samples, q]).mul(scale);
    const input = tensor(x, [samples, p]);
    const layer = outer(delta, input);
    const rows = layer.rows().copy();
    const cut = Math.max(1, Math.floor((q * p) / 2));
    return {
      dense: denseSamples(rows),
      outer: layer,
      // Two uses, 3/4 and 1/4 of the whole.
      expanded: expanded(
        delta.reshape([samples, 1, q]).mul(device.tensor([[[0.75], [0.25]]], { dtype })),
        input.reshape([samples, 1, p]).broadcastTo([samples, 2, p]),
      ),
      // One window of all of the input.
      convolved: convolved(delta.reshape([samples, 1, q, 1]), input.reshape([samples, 1, 1, p]), {
        kernel: [p],
        stride: [1],
        dilation: [1],
        groups: 1,
      }),
      concatenated:
        q * p === 1
          ? concatenated([denseSamples(rows)])
          : concatenated([denseSamples(rows.slice(null, [0, cut])), denseSamples(rows.slice(null, [cut, q * p]))]),
      summed: summed([denseSamples(rows.mul(0.75)), outer(delta.mul(0.25), input, { shape: [q * p] })]),
    };
  }

  describe("dense, outer, expanded, convolved, concatenated and summed rows", () => {
    for (const [name, ruleFor] of Object.entries(rules)) {
      it(`have one answer: ${name}`, async () => {
        await fc.assert(
          fc.asyncProperty(cases, async (of) => {
            // On a line, all points between the middle two of an even number of rows are geometric medians.
            fc.pre(of.q * of.p > 1 || !geometric.has(name));
            const scale = choosing.has(name) ? 2 ** Math.round(Math.log2(of.scale)) : of.scale;
            const { dense, ...others } = forms({ ...of, scale });
            const rule = ruleFor(of);
            const expected = Array.from(await rule(dense as SampleMatrix).data());
            // The automatic norm clip answers with a direction, whatever the scale.
            const values = [...(await (dense as SampleMatrix).rows().data()), ...expected].map(Math.abs);
            const size = Math.max(of.scale, ...values);
            for (const [form, matrix] of Object.entries(others)) {
              const found = Array.from(await rule(matrix).data());
              const off = Math.max(...found.map((value, d) => Math.abs(value - (expected[d] as number)))) / size;
              expect(off, `${form} ${JSON.stringify(of)}`).toBeLessThan(
                geometric.has(name) ? Math.max(1e-8, 1e4 * epsilon) : 200 * epsilon,
              );
            }
          }),
          { numRuns: quick ? 15 : 2 },
        );
      });
    }
  });
});
