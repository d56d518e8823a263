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
import { aggregatorSuite, type Claims } from "../src/testing.js";

const equivariant: Claims = { permutationInvariant: true, translationEquivariant: true, scaleEquivariant: true };
const coordinates: Claims = { ...equivariant, coordinatewise: true };
const vectors: Claims = { ...equivariant, orthogonalEquivariant: true };

aggregatorSuite(() => mean(), { ...coordinates, orthogonalEquivariant: true });
aggregatorSuite(() => sum(), { permutationInvariant: true, orthogonalEquivariant: true, coordinatewise: true });
aggregatorSuite(() => softTruncation(), coordinates);
aggregatorSuite(() => softTruncation({ center: "median", spread: "mad" }), { ...coordinates, breakdownPoint: 0.5 });
aggregatorSuite(() => softTruncation({ varianceFloor: 1e-3, correction: 0 }), {
  permutationInvariant: true,
  translationEquivariant: true,
  coordinatewise: true,
});
aggregatorSuite(() => mEstimator(), { ...coordinates, breakdownPoint: 0.5 });
aggregatorSuite(() => mEstimator({ influence: "log-cosh", scale: "sd" }), coordinates);
aggregatorSuite(() => mEstimator({ scale: 1 }), {
  permutationInvariant: true,
  translationEquivariant: true,
  coordinatewise: true,
  breakdownPoint: 0.4,
});
aggregatorSuite(() => medianOfMeans({ blocks: 5 }), {
  ...vectors,
  permutationInvariant: false,
  minimumSamples: 5,
  breakdownPoint: 0.1,
});
aggregatorSuite(() => medianOfMeans({ blocks: 5, center: "coordinate" }), {
  ...coordinates,
  permutationInvariant: false,
  minimumSamples: 5,
  breakdownPoint: 0.1,
});
aggregatorSuite((device) => medianOfMeans({ blocks: 5, rng: device.rng(3) }), {
  ...vectors,
  permutationInvariant: false,
  minimumSamples: 5,
  breakdownPoint: 0.1,
  random: true,
});
aggregatorSuite(() => geometricMedian(), { ...vectors, breakdownPoint: 0.5 });
aggregatorSuite(() => median(), { ...coordinates, breakdownPoint: 0.5 });
aggregatorSuite(() => trimmedMean({ fraction: 0.2 }), { ...coordinates, breakdownPoint: 0.2 });
aggregatorSuite(() => normClip({ maxNorm: 2 }), { permutationInvariant: true, orthogonalEquivariant: true });
