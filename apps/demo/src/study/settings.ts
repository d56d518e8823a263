import type { ProtocolName } from "./protocol.js";
import type { VariantName } from "./variants.js";

/** Which parameters a vector rule sees as one vector. */
export type Grouping = "parameter" | "layer" | "all";

/** A rule that takes part beside the built-in variants. */
export interface OwnRule {
  /** As written by the user: `trimmed-mean:fraction=0.2`, `./my-rule.js#name`, `some-package`. */
  readonly specifier: string;
  /** Where a file or package was given, as a path from the folder of results; absent before a study has one. */
  readonly seenFrom?: string;
  /** Layers it acts on, counted from 1; the others take the mean. */
  readonly layers: readonly number[];
  readonly group: Grouping;
}

/** Everything that the numbers of a study follow from. */
export interface StudySettings {
  /** Paired trials. */
  readonly trials: number;
  /** Updates a trial. */
  readonly iterations: number;
  /** A whole number in [0, 2⁵³). */
  readonly seed: number;
  readonly variants: readonly VariantName[];
  readonly rule: OwnRule | null;
  /** Share of training rows that are displaced, in [0, 1]. */
  readonly fraction: number;
  /** Their distance from the mean, in standard deviations σ of the distances; > 0. */
  readonly factor: number;
  readonly protocol: ProtocolName;
  readonly device: string;
  readonly dtype: "float32" | "float64";
}
