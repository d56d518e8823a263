import { figureThreeData } from "../src/study/figure-three-data.js";
import type { StudyResult } from "../src/study/study-result.js";
import type { VariantName } from "../src/study/variants.js";

/** A study of two steps whose trials end with the test errors given. */
export function studyOf(errors: Readonly<Record<string, readonly number[]>>): StudyResult {
  const names = Object.keys(errors);
  const count = Math.max(...Object.values(errors).map((list) => list.length));
  return {
    format: 1,
    settings: {
      trials: count,
      iterations: 2,
      seed: 0,
      variants: names as VariantName[],
      rule: null,
      fraction: 0.02,
      factor: 1e4,
      protocol: "code",
      device: "cpu",
      dtype: "float32",
    },
    variants: names.map((name) => ({ name, label: name, meaning: `What ${name} does.` })),
    iterations: [0, 1, 2],
    samples: { train: 100, test: 50 },
    versions: { node: "20" },
    figureThree: figureThreeData({ seed: 0, fraction: 0.02, protocol: "code" }),
    trials: Array.from({ length: count }, (_, trial) => ({
      trial,
      displaced: [1, 2],
      variants: Object.fromEntries(
        names.map((name) => [
          name,
          {
            trainLoss: [1.1, 1, 0.9],
            testLoss: [1.1, 1, 0.9],
            trainError: [0.67, 0.6, errors[name]![trial]!],
            testError: [0.67, 0.6, errors[name]![trial]!],
            microsecondsPerStep: 100 + trial,
          },
        ]),
      ),
    })),
  };
}
