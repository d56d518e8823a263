import { flipLabels, gaussianNoise, plantTrigger, pushOutliers, type HostArray } from "@robgrad/datasets";
import type { Generator } from "@robgrad/tensor";
import type { HostSamples } from "./task.js";

/** How much of the training rows is spoilt, and how badly. */
interface Dose {
  readonly fraction: number;
  readonly strength: number;
  /** Of the trial; a larger fraction spoils the rows of a smaller one and more. */
  readonly generator: Generator;
  /** null for regression. */
  readonly classes: number | null;
}

/** A way to spoil training rows. */
export interface Contamination {
  readonly title: string;
  /** What strength means, on each kind of task. */
  readonly meaning: string;
  readonly strengths: readonly number[];
  readonly apply: (train: HostSamples, dose: Dose) => HostSamples;
  /**
   * Rows to test on in place of the clean ones, with the answers that an attacker wants: a trial is then scored by the share
   * of them that it gets. Such a contamination needs classes.
   */
  readonly wanted?: (test: HostSamples, dose: Omit<Dose, "fraction">) => HostSamples;
}

/** Ways to spoil training rows, by name. */
export const contaminations = {
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
      if (target.values instanceof Float64Array)
        return { x, target: mirrored(target as HostArray, { fraction, strength, generator }) };
      const labels = target as HostArray<Int32Array>;
      const flipped = flipLabels(labels, { fraction, generator, classes: classes ?? undefined });
      if (strength === 1) return { x, target: flipped };
      const values = labels.values.slice();
      for (const row of flipped.rows) values[row] = (values[row]! + 1) % classes!;
      return { x, target: { values, shape: labels.shape } };
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
} as const satisfies Readonly<Record<string, Contamination>>;

function planted({ x, target }: HostSamples, { fraction, strength, generator }: Dose): HostSamples {
  const trigger = new Map([0, 1].map((position) => [position, strength]));
  const labels = target as HostArray<Int32Array>;
  const spoilt = plantTrigger({ x, labels }, { fraction, trigger, label: 0, generator });
  return { x: spoilt.x, target: spoilt.labels };
}

export type ContaminationName = keyof typeof contaminations;
export const contaminationNames = Object.keys(contaminations) as readonly ContaminationName[];

function mirrored(target: HostArray, dose: Omit<Dose, "classes">): HostArray {
  const { values } = target;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const { rows } = gaussianNoise(target, { fraction: dose.fraction, standardDeviation: 0, generator: dose.generator });
  const moved = values.slice();
  for (const row of rows) moved[row] = mean - dose.strength * (values[row]! - mean);
  return { values: moved, shape: target.shape };
}

function deviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
