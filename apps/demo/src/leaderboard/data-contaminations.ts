import { flipLabels, gaussianNoise, plantTrigger, pushOutliers, type HostArray } from "@robgrad/datasets";
import type { DataContamination, Dose } from "./contamination.js";
import { flippedTargets } from "./flipped-targets.js";
import type { HostSamples } from "./task.js";

/** Ways to spoil the data of training rows, by name. */
export const dataContaminations = {
  displaced: {
    title: "displaced points",
    meaning:
      "Rows are pushed through the mean to a distance of k standard deviations of the distances; k is the strength.",
    strengths: [10, 1e4],
    apply: ({ x, target }, { fraction, strength, generator }) => ({
      x: pushOutliers(x, { fraction, factor: strength, generator }),
      target,
    }),
  },
  flips: {
    title: "label flips",
    meaning:
      "Strength 1: any other class, each with equal chance. Strength 2: always the next class. In regression the target is mirrored at its mean, and its distance from it multiplied by the strength.",
    strengths: [1, 2],
    apply: ({ x, target }, { fraction, strength, generator, classes }) => {
      if (classes === null) {
        const { rows } = gaussianNoise(target as HostArray, { fraction, standardDeviation: 0, generator });
        return { x, target: flippedTargets(target, rows, { classes, factor: strength }) };
      }
      const flipped = flipLabels(target as HostArray<Int32Array>, { fraction, generator, classes });
      return { x, target: strength === 1 ? flipped : flippedTargets(target, flipped.rows, { classes, factor: 1 }) };
    },
  },
  noise: {
    title: "feature noise",
    meaning:
      "Normal noise on all features of a row; strength is its standard deviation in those of all features of the clean rows.",
    strengths: [1, 10],
    apply: ({ x, target }, { fraction, strength, generator }) => ({
      x: gaussianNoise(x, { fraction, standardDeviation: strength * deviation(x.values), generator }),
      target,
    }),
  },
  backdoor: {
    title: "backdoor",
    meaning:
      "The first two features of a row are set to the strength, and its class to 0. The score is the share of test rows of other classes that the trigger turns into class 0.",
    strengths: [2],
    apply: planted,
    wanted: ({ x, target }, { strength, generator, classes }) => {
      const others = [...target.values.keys()].filter((row) => target.values[row] !== 0);
      const width = x.shape[1]!;
      const values = Float64Array.from(others.flatMap((row) => [...x.values.subarray(row * width, (row + 1) * width)]));
      const labels = Int32Array.from(others, (row) => target.values[row]!);
      const rest = { x: { values, shape: [others.length, width] }, target: { values: labels, shape: [others.length] } };
      return planted(rest, { fraction: 1, strength, generator, classes });
    },
  },
} as const satisfies Readonly<Record<string, DataContamination>>;

function planted({ x, target }: HostSamples, { fraction, strength, generator }: Dose): HostSamples {
  const trigger = new Map([0, 1].map((position) => [position, strength]));
  const labels = target as HostArray<Int32Array>;
  const spoilt = plantTrigger({ x, labels }, { fraction, trigger, label: 0, generator });
  return { x: spoilt.x, target: spoilt.labels };
}

function deviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
