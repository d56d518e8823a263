import type { Settings } from "./contenders.js";
import type { Numbers } from "./peers/peer.js";

/** What a process that times one contender on one work is told. */
export type Request =
  | { readonly kind: "prepare"; readonly contender: string; readonly work: string; readonly settings: Settings }
  /** So many calls from the initial state, and what they leave. */
  | { readonly kind: "values"; readonly calls: number }
  /** Rounds until there were enough calls or it took long enough. */
  | { readonly kind: "warm"; readonly calls: number; readonly enough: number; readonly milliseconds: number }
  | { readonly kind: "round"; readonly calls: number }
  | { readonly kind: "memory" };

/** What it answers, by kind of request. */
export interface Answers {
  readonly prepare: { readonly versions: Readonly<Record<string, string>> };
  readonly values: { readonly values: readonly Numbers[]; readonly milliseconds: number };
  /** Of the last round. */
  readonly warm: { readonly milliseconds: number };
  readonly round: { readonly milliseconds: number };
  /** What the peer says it held, and the most that the process held. */
  readonly memory: { readonly peakBytes: number | null; readonly residentBytes: number };
}

export type Reply =
  | { readonly kind: "done"; readonly answer: Answers[keyof Answers] }
  /** The contender cannot do the work. */
  | { readonly kind: "unable"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };
