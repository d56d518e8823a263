import type { HostArray, HostValues } from "@robgrad/datasets";
import type { Generator } from "@robgrad/tensor";

/** Samples on the host: classes [N], or numbers [N, 1] to predict. */
export interface HostSamples {
  readonly x: HostArray;
  readonly target: HostArray<HostValues>;
}

/** Clean samples of one trial. */
export interface TaskData {
  readonly train: HostSamples;
  readonly test: HostSamples;
}

/** Something to learn, by gradient descent with a fixed step size. */
export interface Task {
  readonly title: string;
  readonly meaning: string;
  /** Number of classes; null for regression. */
  readonly classes: number | null;
  /** Units of the layers of nodes, inputs first, ReLU between them. */
  readonly sizes: readonly number[];
  /** Initial weights are uniform on ± this. */
  readonly reach: number;
  /** Samples of a step: N. */
  readonly batch: number;
  readonly steps: number;
  readonly stepSize: number;
  /** Trials of a cell unless told otherwise. */
  readonly trials: number;
  /** The samples of one trial; the generator is the trial's own. */
  readonly data: (generator: Generator) => TaskData;
}
