import { enlargedDigits, noise, normal, uniform } from "../inputs.js";
import type { Rule, TrainingData, TrainingWork } from "../work.js";

const samples = 256;
const widths = [784, 256, 128, 10];

const rules: Readonly<Record<string, readonly [title: string, rule: Rule]>> = {
  "": ["step", { kind: "mean" }],
  "-soft": ["soft truncation", { kind: "soft", delta: 0.005 }],
  "-soft-stranger": ["soft truncation, a stranger's", { kind: "soft", delta: 0.005, author: "stranger" }],
  "-median": ["median", { kind: "median" }],
  "-huber": ["Huber, MAD", { kind: "huber", tolerance: 1e-3, maximum: 50 }],
  "-huber-stranger": ["Huber, MAD, a stranger's", { kind: "huber", tolerance: 1e-3, maximum: 50, author: "stranger" }],
  "-gmom": ["geometric median of 8 means, by layer", { kind: "gmom", blocks: 8, tolerance: 1e-6, grouping: "layer" }],
};

const inputs: Readonly<Record<string, readonly [title: string, data: () => TrainingData]>> = {
  "": ["Gaussian", () => noise(normal, samples, widths)],
  "-uniform": ["uniform", () => noise(uniform, samples, widths)],
  "-digits": ["digits", () => enlargedDigits(samples, widths)],
};

/** A network for images of 28 × 28, 256 samples, the rule on all layers; Gaussian inputs unless the name says otherwise. */
export const mnist: readonly TrainingWork[] = Object.entries(rules).flatMap(([suffix, [name, rule]]) =>
  Object.entries(inputs).map(([kind, [kindName, data]]): TrainingWork => ({
    kind: "training",
    id: `mnist${suffix}${kind}`,
    title: `784-256-128-10, N 256, ${kindName}: ${name}`,
    calls: rule.kind === "mean" ? 5 : 1,
    samples,
    widths,
    stepSize: 0.1,
    rule,
    robust: "all",
    data,
  })),
);
