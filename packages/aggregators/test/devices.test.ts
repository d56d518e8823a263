import {
  capture,
  concatenated,
  denseSamples,
  expanded,
  generator,
  openDevice,
  outer,
  summed,
  type Device,
  type SampleMatrix,
  type Tensor,
} from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import {
  geometricMedian,
  mean,
  median,
  medianOfMeans,
  mEstimator,
  normClip,
  softTruncation,
  sum,
  trimmedMean,
  type Aggregator,
} from "../src/index.js";

const [samples, q, p] = [23, 3, 5];

/** Every rule in the ways that take other kernels, with the error allowed as a share of the largest row. */
const rules: Readonly<Record<string, readonly [make: () => Aggregator, error: number]>> = {
  mean: [() => mean(), 1e-6],
  sum: [() => sum(), 1e-5],
  "soft truncation": [() => softTruncation(), 1e-5],
  "soft truncation, median and MAD": [() => softTruncation({ center: "median", spread: "mad" }), 1e-5],
  "soft truncation, floor": [() => softTruncation({ varianceFloor: 1e-3, correction: 0 }), 1e-5],
  "soft truncation, smoothed": [() => softTruncation({ center: "median", spread: "mad", smoothing: true }), 1e-5],
  "M-estimator, huber": [() => mEstimator(), 1e-5],
  "M-estimator, gudermannian, dispersion": [() => mEstimator({ influence: "gudermannian", scale: "dispersion" }), 1e-5],
  "M-estimator, tukey, IQR": [() => mEstimator({ influence: "tukey", scale: "iqr" }), 1e-5],
  "M-estimator, log-cosh, sd": [() => mEstimator({ influence: "log-cosh", scale: "sd" }), 1e-5],
  "M-estimator, given scale": [() => mEstimator({ scale: 1 }), 1e-5],
  "median of means": [() => medianOfMeans({ blocks: 7 }), 1e-4],
  "median of means, coordinates": [() => medianOfMeans({ blocks: 7, center: "coordinate" }), 1e-6],
  "geometric median": [() => geometricMedian(), 1e-4],
  median: [() => median(), 1e-6],
  "trimmed mean": [() => trimmedMean({ fraction: 0.2 }), 1e-6],
  "norm clip": [() => normClip({ maxNorm: 2 }), 1e-5],
};

const rng = generator(5);
/** Numbers of 8 bits, whose products float32 holds exactly; one sample in six is far out. */
const draw = (width: number, far: number) =>
  Array.from(
    rng.normal([samples, width]).values,
    (value, i) => (Math.round(16 * value) / 16) * (Math.floor(i / width) % 6 === 5 ? far : 1),
  );
const [delta, x] = [draw(q, 64), draw(p, 1)];
const rows = Array.from({ length: samples }, (_, n) =>
  Array.from({ length: q * p }, (_, d) => delta[n * q + Math.floor(d / p)]! * x[n * p + (d % p)]!),
);
const largest = Math.max(...rows.flat().map(Math.abs));

type Matrix = (rows: Tensor, delta: Tensor, x: Tensor) => SampleMatrix;

const forms: Readonly<Record<string, Matrix>> = {
  dense: (rows) => denseSamples(rows),
  outer: (_, delta, x) => outer(delta, x),
  expanded: (_, delta, x) =>
    expanded(
      delta.reshape([samples, 1, q]).mul(delta.device.tensor([[[0.75], [0.25]]])),
      x.reshape([samples, 1, p]).broadcastTo([samples, 2, p]),
    ),
  concatenated: (rows) =>
    concatenated([denseSamples(rows.slice(null, [0, 7])), denseSamples(rows.slice(null, [7, q * p]))]),
  summed: (rows, delta, x) => summed([denseSamples(rows.mul(0.75)), outer(delta.mul(0.25), x, { shape: [q * p] })]),
};

const tensors = (device: Device, dtype: "float32" | "float64") =>
  [
    device.tensor(rows, { dtype }),
    device.tensor(delta, { shape: [samples, q], dtype }),
    device.tensor(x, { shape: [samples, p], dtype }),
  ] as const;

forEachDevice(
  ({ device }) => {
    describe.each(Object.entries(rules))("%s in float32", (_, [make, error]) => {
      const agree = async (found: Tensor, expected: ArrayLike<number>) =>
        (await found.data()).forEach((value, d) =>
          expect(Math.abs(value - expected[d]!) / largest, `coordinate ${d}`).toBeLessThan(error),
        );

      it("has the answer of cpu in float64 for every form of the rows, called and replayed", async () => {
        const cpu = await openDevice("cpu");
        const expected = await make()(denseSamples(tensors(cpu, "float64")[0])).data();
        cpu.dispose();
        const given = tensors(device, "float32");
        for (const matrix of Object.values(forms)) {
          const rule = make();
          await agree(rule(matrix(...given)), expected);
          const step = capture((...args: [Tensor, Tensor, Tensor]) => rule(matrix(...args)).mul(1));
          const others = given.map((tensor) => tensor.mul(0.5)) as [Tensor, Tensor, Tensor];
          step(...others);
          step(...others);
          await agree(step(...given), expected);
          step.dispose();
        }
      });
    });
  },
  { dtypes: ["float32"] },
);
