import { describe } from "vitest";
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
} from "../src/index.js";
import { aggregatorSuite, type AggregatorFactory, type Claims } from "../src/testing.js";

const equivariant: Claims = { permutationInvariant: true, translationEquivariant: true, scaleEquivariant: true };
const coordinates: Claims = { ...equivariant, coordinatewise: true };
const vectors: Claims = { ...equivariant, orthogonalEquivariant: true };

for (const device of ["cpu", "wasm"] as const) {
  const suite = (factory: AggregatorFactory, claims: Claims) =>
    describe(device, () => aggregatorSuite(factory, { ...claims, device }));

  suite(() => mean(), { ...coordinates, orthogonalEquivariant: true });
  suite(() => sum(), { permutationInvariant: true, orthogonalEquivariant: true, coordinatewise: true });
  suite(() => softTruncation(), coordinates);
  suite(() => softTruncation({ center: "median", spread: "mad" }), { ...coordinates, breakdownPoint: 0.5 });
  suite(() => softTruncation({ varianceFloor: 1e-3, correction: 0 }), {
    permutationInvariant: true,
    translationEquivariant: true,
    coordinatewise: true,
  });
  suite(() => mEstimator(), { ...coordinates, breakdownPoint: 0.5 });
  suite(() => mEstimator({ influence: "log-cosh", scale: "sd" }), coordinates);
  suite(() => mEstimator({ scale: 1 }), {
    permutationInvariant: true,
    translationEquivariant: true,
    coordinatewise: true,
    breakdownPoint: 0.4,
  });
  suite(() => medianOfMeans({ blocks: 5 }), {
    ...vectors,
    permutationInvariant: false,
    minimumSamples: 5,
    breakdownPoint: 0.1,
  });
  suite(() => medianOfMeans({ blocks: 5, center: "coordinate" }), {
    ...coordinates,
    permutationInvariant: false,
    minimumSamples: 5,
    breakdownPoint: 0.1,
  });
  suite((device) => medianOfMeans({ blocks: 5, rng: device.rng(3) }), {
    ...vectors,
    permutationInvariant: false,
    minimumSamples: 5,
    breakdownPoint: 0.1,
    random: true,
  });
  suite(() => geometricMedian(), { ...vectors, breakdownPoint: 0.5 });
  suite(() => median(), { ...coordinates, breakdownPoint: 0.5 });
  suite(() => trimmedMean({ fraction: 0.2 }), { ...coordinates, breakdownPoint: 0.2 });
  suite(() => normClip({ maxNorm: 2 }), { permutationInvariant: true, orthogonalEquivariant: true });
}
