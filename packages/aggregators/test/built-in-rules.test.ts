import { openDevice } from "@robgrad/tensor";
import { describe, it } from "vitest";
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
} from "../src/index.js";
import { aggregatorSuite, type AggregatorFactory, type Claims } from "../src/testing.js";

const equivariant: Claims = { permutationInvariant: true, translationEquivariant: true, scaleEquivariant: true };
const coordinates: Claims = { ...equivariant, coordinatewise: true };
const vectors: Claims = { ...equivariant, orthogonalEquivariant: true };

// √κ of the suite's N = 20 samples, f of which are hostile: Y. Allouah et al. (2023), Fixing by mixing, Table 1.
const share = (f: number) => f / (20 - 2 * f);
const medianBias = Math.sqrt(4 * (1 + share(9)) ** 2);
const trimmedMeanBias = (f: number) => Math.sqrt(6 * share(f) * (1 + share(f)));
const krumBias = (f: number) => Math.sqrt(6 * (1 + share(f)));

const unavailable = await openDevice("webgpu").then(
  (device) => (device.dispose(), null),
  (error: Error) => error.message,
);
// Where CI=true the suites of `forEachDevice` fail then.
if (unavailable !== null) it.skip(unavailable, () => {});

for (const device of unavailable === null ? (["cpu", "wasm", "webgpu"] as const) : (["cpu", "wasm"] as const)) {
  // The suite itself compares a rule's answers on all devices; its laws are asked again there of one rule of a kind.
  const suite = (factory: AggregatorFactory, claims: Claims, { onCpuAlone = false } = {}) => {
    if (device !== "cpu" && onCpuAlone) return;
    // On a software adapter a search for the worst factor and a large layer would take minutes, and float32 is less exact.
    const { bias, ...others } = claims;
    const ofDevice = device === "webgpu" ? { tolerance: 1e-4, maximumSamples: 20 } : bias === undefined ? {} : { bias };
    describe(device, () =>
      aggregatorSuite(factory, { withoutRows: device !== "webgpu", ...others, ...ofDevice, device }),
    );
  };
  const onCpuAlone = { onCpuAlone: true };

  suite(() => mean(), { ...coordinates, orthogonalEquivariant: true });
  suite(() => sum(), { permutationInvariant: true, orthogonalEquivariant: true, coordinatewise: true });
  suite(() => softTruncation(), coordinates);
  suite(() => softTruncation({ center: "median", spread: "mad" }), { ...coordinates, breakdownPoint: 0.5 }, onCpuAlone);
  suite(
    () => softTruncation({ varianceFloor: 1e-3, correction: 0 }),
    {
      permutationInvariant: true,
      translationEquivariant: true,
      coordinatewise: true,
    },
    onCpuAlone,
  );
  suite(() => mEstimator(), { ...coordinates, breakdownPoint: 0.5 });
  suite(() => softTruncation({ smoothing: true }), coordinates, onCpuAlone);
  suite(() => mEstimator({ influence: "log-cosh", scale: "sd" }), coordinates, onCpuAlone);
  suite(() => mEstimator({ influence: "tukey" }), { ...coordinates, breakdownPoint: 0.5 }, onCpuAlone);
  suite(() => mEstimator({ influence: "fair", scale: "iqr" }), { ...coordinates, breakdownPoint: 0.2 }, onCpuAlone);
  suite(() => mEstimator({ influence: "gudermannian", scale: dispersion({ floor: 0 }) }), coordinates, onCpuAlone);
  suite(
    () => mEstimator({ scale: 1 }),
    {
      permutationInvariant: true,
      translationEquivariant: true,
      coordinatewise: true,
      breakdownPoint: 0.4,
    },
    onCpuAlone,
  );
  suite(() => medianOfMeans({ blocks: 5 }), {
    ...vectors,
    permutationInvariant: false,
    minimumSamples: 5,
    breakdownPoint: 0.1,
  });
  suite(
    () => medianOfMeans({ blocks: 5, center: "coordinate" }),
    {
      ...coordinates,
      permutationInvariant: false,
      minimumSamples: 5,
      breakdownPoint: 0.1,
    },
    onCpuAlone,
  );
  suite(
    (device) => medianOfMeans({ blocks: 5, rng: device.rng(3) }),
    {
      ...vectors,
      permutationInvariant: false,
      minimumSamples: 5,
      breakdownPoint: 0.1,
      random: true,
    },
    onCpuAlone,
  );
  suite(() => geometricMedian(), { ...vectors, breakdownPoint: 0.5, bias: medianBias });
  suite(() => median(), { ...coordinates, breakdownPoint: 0.5, bias: medianBias });
  suite(() => trimmedMean({ fraction: 0.2 }), { ...coordinates, breakdownPoint: 0.2, bias: trimmedMeanBias(4) });
  suite(() => normClip({ maxNorm: 2 }), { permutationInvariant: true, orthogonalEquivariant: true });
  suite(
    () => normClip({ quantile: 0.5 }),
    {
      permutationInvariant: true,
      scaleEquivariant: true,
      orthogonalEquivariant: true,
      breakdownPoint: 0.4,
    },
    onCpuAlone,
  );
  suite(
    () => normClip({ automatic: 0.1 }),
    {
      permutationInvariant: true,
      orthogonalEquivariant: true,
      breakdownPoint: 0.5,
    },
    onCpuAlone,
  );
  suite(
    () => centeredClip({ maxNorm: 1, iterations: 2 }),
    {
      permutationInvariant: true,
      orthogonalEquivariant: true,
      breakdownPoint: 0.5,
    },
    onCpuAlone,
  );
  suite(
    () => meanAroundMedian({ byzantine: 2 }),
    { ...coordinates, minimumSamples: 5, breakdownPoint: 0.1 },
    onCpuAlone,
  );
  suite(() => krum({ byzantine: 2 }), { ...vectors, minimumSamples: 7, breakdownPoint: 0.1, bias: krumBias(2) });
  suite(() => multiKrum({ byzantine: 2 }), { ...vectors, minimumSamples: 7, breakdownPoint: 0.1 }, onCpuAlone);
  // Where one neighbour is left to count, two samples that are each other's nearest tie, and the first of them goes.
  suite(
    () => bulyan({ byzantine: 1 }),
    {
      translationEquivariant: true,
      scaleEquivariant: true,
      minimumSamples: 7,
      breakdownPoint: 0.05,
    },
    onCpuAlone,
  );
  suite(
    () => minimumDiameterAveraging({ byzantine: 2 }),
    {
      ...vectors,
      minimumSamples: 5,
      maximumSamples: 20,
      breakdownPoint: 0.1,
    },
    onCpuAlone,
  );
  suite(
    () => smea({ byzantine: 2 }),
    { ...vectors, minimumSamples: 5, maximumSamples: 20, breakdownPoint: 0.1 },
    onCpuAlone,
  );
  suite(() => caf({ byzantine: 2 }), { ...vectors, minimumSamples: 5, breakdownPoint: 0.1 }, onCpuAlone);
  suite(() => monna({ byzantine: 2 }), { ...vectors, permutationInvariant: false, minimumSamples: 3 }, onCpuAlone);
  suite(() => signMajority(), { permutationInvariant: true, coordinatewise: true, breakdownPoint: 0.5 }, onCpuAlone);
  suite(
    () => medianOfMeans({ blocks: 5, center: "medoid" }),
    {
      ...vectors,
      permutationInvariant: false,
      minimumSamples: 5,
      breakdownPoint: 0.1,
    },
    onCpuAlone,
  );
  suite(
    () => compose(bucketing({ size: 2 }), krum({ byzantine: 1 })),
    {
      ...vectors,
      permutationInvariant: false,
      minimumSamples: 8,
      breakdownPoint: 0.05,
    },
    onCpuAlone,
  );
  suite(
    () => compose(nearestNeighborMixing({ byzantine: 2 }), median()),
    {
      permutationInvariant: true,
      translationEquivariant: true,
      scaleEquivariant: true,
      minimumSamples: 5,
      breakdownPoint: 0.1,
    },
    onCpuAlone,
  );
  suite(
    () => compose(adaptiveRobustClipping({ byzantine: 1 }), mean()),
    {
      permutationInvariant: true,
      scaleEquivariant: true,
      orthogonalEquivariant: true,
      minimumSamples: 3,
      breakdownPoint: 0.05,
    },
    onCpuAlone,
  );
  suite(
    () => compose(clipping({ maxNorm: 2 }), trimmedMean({ fraction: 0.2 })),
    {
      permutationInvariant: true,
      breakdownPoint: 0.5,
    },
    onCpuAlone,
  );
}
