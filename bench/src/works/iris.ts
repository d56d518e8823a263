import { clusters } from "../inputs.js";
import type { TrainingWork } from "../work.js";

const samples = 100;
const widths = [2, 10, 10, 3];
const step = {
  kind: "training",
  samples,
  widths,
  stepSize: 0.5,
  calls: 500,
  data: () => clusters(samples, widths),
} as const;

/** The size of the Iris study: 2-10-10-3, 100 samples. */
export const iris: readonly TrainingWork[] = [
  { ...step, id: "iris", title: "2-10-10-3, N 100: step", rule: { kind: "mean" }, robust: "all" },
  {
    ...step,
    id: "iris-soft",
    title: "2-10-10-3, N 100: soft truncation on layer 1",
    rule: { kind: "soft", delta: 0.005 },
    robust: "first",
  },
  {
    ...step,
    id: "iris-gmom",
    title: "2-10-10-3, N 100: geometric median of 10 means, by layer",
    rule: { kind: "gmom", blocks: 10, tolerance: 1e-6, grouping: "layer" },
    robust: "all",
  },
  {
    ...step,
    id: "iris-gmom-joint",
    title: "2-10-10-3, N 100: geometric median of 10 means, jointly",
    rule: { kind: "gmom", blocks: 10, tolerance: 1e-6, grouping: "all" },
    robust: "all",
  },
];
