import { argmin, oneHot, sort } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, it } from "vitest";
import { denseSamples } from "@robgrad/tensor";
import { defineAggregator, mEstimator } from "../src/index.js";
import { aggregatorSuite } from "../src/testing.js";

// Rules as somebody else would write them, with what tensor and aggregators export and nothing else.

/** Coordinate-wise trimmed mean. Yin et al. (2018), Definition 2. */
export const trimmedMean = ({ fraction = 0.1 } = {}) =>
  defineAggregator("trimmed-mean", (g) => {
    const cut = Math.floor(fraction * g.samples);
    return g.columns((c) =>
      c
        .sorted()
        .slice(cut, g.samples - cut)
        .mean(),
    );
  });

/** Krum: the sample nearest its n − f − 2 neighbours. Blanchard et al. (2017), §4. */
export const krum = ({ byzantine = 1 } = {}) =>
  defineAggregator("krum", (g) => {
    const nearest = sort(g.squaredDistances(), { axis: 1 }).slice([0, g.samples], [1, g.samples - byzantine - 1]);
    return g.combine(oneHot(argmin(nearest.sum({ axis: 1 })), g.samples));
  });

/** Huber's M-estimator, written as its influence function alone. */
export const huber = ({ k = 1.345 } = {}) => mEstimator({ influence: (u) => u.clamp(-k, k) });

aggregatorSuite(() => trimmedMean({ fraction: 0.2 }), {
  permutationInvariant: true,
  translationEquivariant: true,
  scaleEquivariant: true,
  coordinatewise: true,
  breakdownPoint: 0.2,
});

aggregatorSuite(() => krum({ byzantine: 2 }), {
  permutationInvariant: true,
  translationEquivariant: true,
  scaleEquivariant: true,
  orthogonalEquivariant: true,
  minimumSamples: 7,
  breakdownPoint: 0.1,
});

aggregatorSuite(() => huber(), {
  permutationInvariant: true,
  translationEquivariant: true,
  scaleEquivariant: true,
  coordinatewise: true,
  breakdownPoint: 0.5,
});

forEachDevice(({ device, dtype }) => {
  describe("krum", () => {
    it("chooses the sample with the nearest neighbours", async () => {
      const rows = device.tensor(
        [
          [0, 9],
          [1, 1],
          [1.1, 1],
          [0.9, 1],
          [-50, 3],
          [1, 1.2],
        ],
        { dtype },
      );
      await expectClose(krum()(denseSamples(rows)), [1, 1], { ulps: 4 });
    });
  });
});
