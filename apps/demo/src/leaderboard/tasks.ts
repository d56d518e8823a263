import { iris, principalComponents, trainTestSplit, unitSquare, type HostArray } from "@robgrad/datasets";
import { digits } from "@robgrad/datasets/digits";
import type { Generator } from "@robgrad/tensor";
import { initialRange, layerSizes, stepSize, trainSize } from "../study/protocol.js";
import type { Task, TaskData } from "./task.js";

const features = 10;
const flowers = (x: HostArray, generator: Generator): TaskData =>
  trainTestSplit({ x, target: iris().labels }, { trainSize, generator });

const images = (generator: Generator): TaskData => {
  const { features: pixels, labels } = digits();
  const x = { ...pixels, values: pixels.values.map((count) => count / 16) };
  return trainTestSplit({ x, target: labels }, { trainSize: 500, generator });
};

/** y = ⟨w, x⟩ + e with x ~ N(0, I), ‖w‖ = 1 and e ~ N(0, 0.3²). */
const regressionData = (generator: Generator): TaskData => {
  const direction = generator.normal([features]).values;
  const length = Math.hypot(...direction);
  const part = (rows: number) => {
    const x = generator.normal([rows, features]);
    const noise = generator.normal([rows], { standardDeviation: 0.3 }).values;
    const values = noise.map(
      (e, n) => e + direction.reduce((sum, w, d) => sum + (w / length) * x.values[n * features + d]!, 0),
    );
    return { x, target: { values, shape: [rows, 1] } satisfies HostArray };
  };
  return { train: part(100), test: part(1000) };
};

/** The rows of a step, in all of them alike, so that rules are told the same number of hostile ones. */
export const batch = 50;

/** What rules are tried on, by name. */
export const tasks = {
  iris: {
    title: "Iris",
    meaning:
      "100 flowers to train on, 50 to test on, their four measurements scaled to [0, 1]; a network 4-10-3 with ReLU, 200 steps of 0.5.",
    classes: 3,
    sizes: [4, 10, 3],
    reach: 0.5,
    batch,
    steps: 200,
    stepSize: 0.5,
    trials: 10,
    data: (generator) => flowers(unitSquare(iris().features), generator),
  },
  digits: {
    title: "Digits",
    meaning:
      "500 images of 8 × 8 pixels in [0, 1] to train on, 1297 to test on; a network 64-16-10 with ReLU, 600 steps of 0.5.",
    classes: 10,
    sizes: [64, 16, 10],
    reach: 0.2,
    batch,
    steps: 600,
    stepSize: 0.5,
    trials: 2,
    data: images,
  },
  regression: {
    title: "Regression",
    meaning:
      "y = ⟨w, x⟩ + e, x standard normal in 10 dimensions, ‖w‖ = 1, e normal with standard deviation 0.3; 100 samples to train on, 1000 to test on; a linear model with squared loss, 200 steps of 0.05.",
    classes: null,
    sizes: [features, 1],
    reach: 0.05,
    batch,
    steps: 200,
    stepSize: 0.05,
    trials: 5,
    data: regressionData,
  },
  study: {
    title: "The Iris study",
    meaning:
      "100 flowers in the plane of two principal components to train on, 50 to test on; a network 2-10-10-3 with ReLU, 1000 full-batch steps of 0.5.",
    classes: 3,
    sizes: layerSizes,
    reach: initialRange,
    batch: trainSize,
    steps: 1000,
    stepSize,
    trials: 200,
    data: (generator) => flowers(unitSquare(principalComponents(iris().features, { components: 2 })), generator),
  },
} as const satisfies Readonly<Record<string, Task>>;

export type TaskName = keyof typeof tasks;

/** Those of the leaderboard; the study is there for questions about it. */
export const taskNames: readonly TaskName[] = ["iris", "digits", "regression"];
