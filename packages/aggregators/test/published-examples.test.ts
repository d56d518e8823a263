import { denseSamples } from "@robgrad/tensor";
import { expectClose, forEachDevice, type Tolerance } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import {
  catoniGiulini,
  adaptiveRobustClipping,
  arctanInfluence,
  bucketing,
  caf,
  catoniNarrowInfluence,
  catoniWideInfluence,
  centeredClip,
  clipping,
  dispersion,
  fairInfluence,
  geometricMedian,
  gudermannianInfluence,
  huberInfluence,
  krum,
  logCoshInfluence,
  mean,
  median,
  meanAroundMedian,
  mEstimator,
  minimumDiameterAveraging,
  monna,
  multiKrum,
  nearestNeighborMixing,
  normClip,
  pseudoHuberInfluence,
  smea,
  softTruncation,
  sum,
  trimmedMean,
  type Aggregator,
  type MEstimatorOptions,
  type PreAggregator,
} from "../src/index.js";
import published from "./fixtures/aggregator-examples.json" with { type: "json" };
import { columnsOf, medianOf } from "./random-rows.js";

interface Example {
  readonly library: string;
  readonly aggregator: string;
  readonly params: Readonly<Record<string, number>>;
  readonly kind: string;
  readonly input: readonly number[] | readonly (readonly number[])[];
  readonly output: readonly number[] | readonly (readonly number[])[];
}

const examples = published.examples as unknown as readonly Example[];

/** Robgrad's counterpart of a published rule. */
const counterparts: Readonly<Record<string, (params: Example["params"], samples: number) => Aggregator>> = {
  Average: () => mean(),
  Mean: () => mean(),
  Sum: () => sum(),
  Median: () => median(),
  TrMean: ({ f = 0 }, samples) => trimmedMean({ fraction: f / samples }),
  TrimmedMean: ({ trim_number = 0 }, samples) => trimmedMean({ fraction: trim_number / samples }),
  // Converged: neither rule's number of steps is what they have in common.
  GeometricMedian: () => geometricMedian({ tolerance: 1e-13, maximum: 5000 }),
  geometric_median_array: () => geometricMedian({ tolerance: 1e-13, maximum: 5000 }),
  "soft truncation (Robustify)": ({ delta = NaN }) => softTruncation({ delta }),
  softmean: ({ delta = NaN, var_floor = NaN, ddof = NaN }) =>
    softTruncation({ delta, varianceFloor: var_floor, correction: ddof }),
  // ByzFL counts one neighbour more than the paper, TorchJD does not square the distances.
  Krum: ({ f, n_byzantine = f, n_selected = 1 }, samples) =>
    f === undefined
      ? multiKrum({ byzantine: n_byzantine as number, selected: n_selected, squared: false })
      : krum({ byzantine: f, neighbors: () => samples - f - 1 }),
  MultiKrum: ({ f = NaN }, samples) => multiKrum({ byzantine: f, neighbors: () => samples - f - 1 }),
  MDA: ({ f = NaN }) => minimumDiameterAveraging({ byzantine: f }),
  SMEA: ({ f = NaN }) => smea({ byzantine: f }),
  CAF: ({ f = NaN }) => caf({ byzantine: f }),
  MoNNA: ({ f = NaN, idx = NaN }) => monna({ byzantine: f, reference: idx }),
  Meamed: ({ f = NaN }) => meanAroundMedian({ byzantine: f }),
  CenteredClipping: ({ tau = NaN, L = NaN }) => centeredClip({ maxNorm: tau, iterations: L }),
};

/** Steps before a rule, whose rows are published. */
const steps: Readonly<Record<string, (params: Example["params"]) => PreAggregator>> = {
  NNM: ({ f = NaN }) => nearestNeighborMixing({ byzantine: f }),
  ARC: ({ f = NaN }) => adaptiveRobustClipping({ byzantine: f }),
  Clipping: ({ c = NaN }) => clipping({ maxNorm: c }),
};

const influences = {
  "psi:inf_algsq": pseudoHuberInfluence,
  "psi:inf_atan": arctanInfluence,
  "psi:inf_catnarrow": catoniNarrowInfluence,
  "psi:inf_catwide": catoniWideInfluence,
  "psi:inf_fair": fairInfluence(1.3998),
  "psi:inf_gudermann": gudermannianInfluence,
  "psi:inf_huber": huberInfluence(1.345),
  "psi:inf_tanh": logCoshInfluence,
  "psi Catoni-Giulini": catoniGiulini,
};

/** Locations by their scale s = σ̂ √(N / ln 1/δ), in mml's names. */
const locations = {
  inf_algsq: "pseudo-huber",
  inf_atan: "arctan",
  inf_catnarrow: "catoni-narrow",
  inf_catwide: "catoni-wide",
  inf_gudermann: "gudermannian",
  inf_huber: "huber",
  inf_tanh: "log-cosh",
} as const;

const converged = { tolerance: 1e-12, maximum: 5000 };

/** Scales, without the factor that makes them the standard deviation of normal data. */
const scales: Readonly<Record<string, readonly [scale: NonNullable<MEstimatorOptions["scale"]>, factor: number]>> = {
  scale_madmean: ["mad-about-mean", 1.4826],
  scale_madzero: ["mad-about-zero", 1.4826],
  scale_madmed: ["mad", 1.4826],
  "scale:chi_geman_quad fixed point": [
    dispersion({ ...converged, floor: 0, delta: 0.01 }),
    Math.sqrt(3 / Math.log(100)),
  ],
};

function toleranceOf({ library, kind, aggregator, params }: Example): Tolerance | null {
  if (kind.startsWith("docstring")) return aggregator === "GeometricMedian" ? null : { absolute: 5e-9 };
  if (kind.startsWith("unit test")) return { absolute: 1e-4 };
  if (library === "geom_median") return { absolute: 1e-6 };
  // The other rows of the geometric median stop after three steps.
  if (aggregator === "GeometricMedian" && params["T"] !== 1000) return null;
  return { absolute: 1e-9, relative: 1e-9 };
}

const nameOf = ({ library, aggregator, params }: Example) =>
  `${aggregator}${Object.keys(params).length > 0 ? ` ${JSON.stringify(params)}` : ""} of ${library}`;

forEachDevice(
  ({ device, dtype }) => {
    let tested = 0;

    describe("published examples", () => {
      for (const example of examples) {
        const rule = counterparts[example.aggregator];
        const tolerance = toleranceOf(example);
        const rows = example.input as readonly (readonly number[])[];
        if (rule === undefined || tolerance === null || !Array.isArray(rows[0])) continue;
        tested++;
        it(`holds ${nameOf(example)} on ${JSON.stringify(rows)}`, async () => {
          const answer = rule(example.params, rows.length)(denseSamples(device.tensor(rows, { dtype })));
          await expectClose(answer, example.output as number[], tolerance);
        });
      }

      for (const [name, influence] of Object.entries(influences)) {
        it(`holds ${name}`, async () => {
          const example = examples.find(({ aggregator }) => aggregator === name) as Example;
          const u = device.tensor(example.input as number[], { dtype });
          await expectClose(u.map(influence), example.output as number[], { absolute: 1e-15, relative: 1e-15 });
        });
      }

      for (const [name, influence] of Object.entries(locations)) {
        it(`holds RGD_Mest location:${name}`, async () => {
          const found = examples.find(({ aggregator }) => aggregator === `RGD_Mest location:${name}`) as Example;
          const rule = mEstimator({ influence, scale: dispersion({ ...converged, floor: 0 }), ...converged });
          const answer = rule(denseSamples(device.tensor(found.input as number[][], { dtype })));
          await expectClose(answer, found.output as number[], { absolute: 1e-9, relative: 1e-9 });
        });
      }

      for (const [name, [scale, factor]] of Object.entries(scales)) {
        it(`holds ${name}`, async () => {
          const { input, output } = examples.find(({ aggregator }) => aggregator === name) as Example;
          const rows = input as readonly (readonly number[])[];
          // One turn from the median with ψ = 1 is one scale away.
          const rule = mEstimator({ influence: () => 1, scale, maximum: 1 });
          const answer = rule(denseSamples(device.tensor(rows, { dtype })));
          const expected = columnsOf(rows).map((column, d) => medianOf(column) + factor * (output as number[])[d]!);
          await expectClose(answer, expected, { absolute: 1e-9, relative: 1e-9 });
        });
      }

      it("holds clipped rows, whose mean the norm clip is", async () => {
        for (const { input, output, params } of examples.filter(({ aggregator }) => aggregator === "Clipping")) {
          const rows = input as readonly (readonly number[])[];
          const clipped = columnsOf(output as readonly (readonly number[])[]).map(
            (c) => c.reduce((a, b) => a + b) / c.length,
          );
          const answer = normClip({ maxNorm: params["c"] as number })(denseSamples(device.tensor(rows, { dtype })));
          await expectClose(answer, clipped, { absolute: 5e-9 });
        }
      });

      for (const example of examples) {
        const step = steps[example.aggregator];
        if (step === undefined) continue;
        tested++;
        it(`holds ${nameOf(example)}, whose rows a rule gets to see, on ${JSON.stringify(example.input)}`, async () => {
          const rows = example.input as readonly (readonly number[])[];
          const { samples } = step(example.params)(denseSamples(device.tensor(rows, { dtype })));
          await expectClose(samples.rows(), example.output as number[][], toleranceOf(example) as Tolerance);
        });
      }

      it("holds Bucketing as a property: means of buckets of at most two, of a permutation", async () => {
        const example = examples.find(({ aggregator }) => aggregator === "Bucketing") as Example;
        const rows = example.input as readonly (readonly number[])[];
        const rng = device.rng(1);
        const { samples } = bucketing({ size: 2, rng })(denseSamples(device.tensor(rows, { dtype })));
        const found = (await samples.rows().toArray()) as number[][];
        // A pair's mean and the row left out; [4, 5, 6] is both the middle row and the mean of the others.
        const pairs = [
          [0, 1, 2],
          [0, 2, 1],
          [1, 2, 0],
        ].map(([a, b, c]) => [rows[a!]!.map((x, d) => (x + rows[b!]![d]!) / 2), [...rows[c!]!]]);
        expect(pairs).toContainEqual(found);
        rng.dispose();
      });

      it("have a counterpart in 50 cases", () => expect(tested).toBe(50));
    });

    describe("the M-estimate on XK", () => {
      const rows = published.named_inputs.XK;

      /** Root of Σψ((x − θ)/s) by bisection. */
      function root(values: readonly number[], s: number, psi: (u: number) => number): number {
        let [low, high] = [Math.min(...values), Math.max(...values)];
        for (let turn = 0; turn < 200; turn++) {
          const middle = (low + high) / 2;
          if (values.reduce((total, x) => total + psi((x - middle) / s), 0) > 0) low = middle;
          else high = middle;
        }
        return (low + high) / 2;
      }

      const deviation = (values: readonly number[]) =>
        1.4826 * medianOf(values.map((x) => Math.abs(x - medianOf(values))));
      const sd = (values: readonly number[]) => {
        const center = values.reduce((a, b) => a + b) / values.length;
        return Math.sqrt(values.reduce((total, x) => total + (x - center) ** 2, 0) / (values.length - 1));
      };
      const huber = (u: number) => Math.max(-1.345, Math.min(1.345, u));
      const pseudoHuber = (u: number) => u / Math.sqrt(1 + (u * u) / 2);
      const exactly = { tolerance: 1e-14, maximum: 20_000 };
      const cases = [
        ["huber, MAD", mEstimator({ ...exactly }), deviation, huber],
        ["log-cosh, MAD", mEstimator({ influence: "log-cosh", ...exactly }), deviation, Math.tanh],
        ["huber, sd", mEstimator({ scale: "sd", ...exactly }), sd, huber],
        ["log-cosh, given scale", mEstimator({ influence: "log-cosh", scale: 2.5, ...exactly }), () => 2.5, Math.tanh],
        [
          "pseudo-Huber of one's own, sd",
          mEstimator({ influence: (u) => u.div(u.square().div(2).add(1).sqrt()), scale: "sd", ...exactly }),
          sd,
          pseudoHuber,
        ],
      ] as const;
      for (const [name, rule, scale, psi] of cases) {
        it(`solves Σψ = 0 with ${name}`, async () => {
          const expected = columnsOf(rows).map((values) => {
            const s = scale(values);
            return s === 0 ? medianOf(values) : root(values, s, psi);
          });
          await expectClose(rule(denseSamples(device.tensor(rows, { dtype }))), expected, {
            absolute: 1e-9,
            relative: 1e-9,
          });
        });
      }
    });
  },
  { dtypes: ["float64"] },
);
