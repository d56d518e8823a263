import type { Aggregator } from "@robgrad/aggregators";
import type { Attack } from "@robgrad/aggregators/attacks";
import type { DeviceRandom, Generator, Tensor } from "@robgrad/tensor";
import type { HostSamples } from "./task.js";

/** How much of the training rows is spoilt, and how badly. */
export interface Dose {
  readonly fraction: number;
  readonly strength: number;
  /** Of the trial; a larger fraction spoils the rows of a smaller one and more. */
  readonly generator: Generator;
  /** null for regression. */
  readonly classes: number | null;
}

interface Named {
  readonly title: string;
  /** What it does, and what strength means where it has one. */
  readonly meaning: string;
  /** None where it has no strength; that of its cells is then 0. */
  readonly strengths: readonly number[];
}

/** A way to spoil the data of training rows. */
export interface DataContamination extends Named {
  readonly apply: (train: HostSamples, dose: Dose) => HostSamples;
  /**
   * Rows to test on in place of the clean ones, with the answers that an attacker wants: a trial is then scored by the share
   * of them that it gets. Such a contamination needs classes.
   */
  readonly wanted?: (test: HostSamples, dose: Omit<Dose, "fraction">) => HostSamples;
}

/** What an attacker knows beside the honest gradients. */
export interface Situation {
  readonly strength: number;
  /** The rule that combines the gradients. */
  readonly rule: Aggregator;
  /** The gradients of the hostile samples, [count, D]. */
  readonly own: Tensor;
  readonly rng: DeviceRandom;
}

/** A way to spoil the gradients of training rows: in every step hostile samples send what an attacker makes of the honest ones. */
export interface RowContamination extends Named {
  readonly attack: (situation: Situation) => Attack;
  /** Whether it draws random numbers, and so is made anew for every trial. */
  readonly random?: true;
  /** Whether it asks the rule, as it is before its first step. */
  readonly asks?: true;
  /** What becomes of the data of hostile rows first. */
  readonly prepare?: (train: HostSamples, rows: readonly number[], classes: number | null) => HostSamples;
  /** What the trainer does with gradients that are not finite; it rejects them unless told otherwise. */
  readonly nonFinite?: "drop";
}

/** A way to spoil training rows: their data, or the gradients that come of them. */
export type Contamination = DataContamination | RowContamination;
