import type { Work } from "../work.js";

export type Numbers = Float32Array | Float64Array;

/** One work, ready to be repeated. */
export interface Job {
  /** Back to the initial weights; products and chains have no state. */
  reset(): void | Promise<void>;
  /** Does the work that often, and returns when all of it is done. */
  run(calls: number): void | Promise<void>;
  /**
   * What the last call left: the loss before its step, then W [Q, P] and b [Q] of every layer; or the product; or the
   * result of the chain; or the loss of a sequence and its gradients in x, U, W and b.
   */
  values(): readonly Numbers[] | Promise<readonly Numbers[]>;
  /** Most bytes that the peer says it held, if it says so. */
  peakBytes?(): number;
  /** What else there is to know about the work on its data. */
  notes?(): Readonly<Record<string, number>>;
}

/** A library on one engine, or a way to write with it. */
export interface Peer {
  /** Package → version. */
  readonly versions: Readonly<Record<string, string>>;
  /** @throws Unable */
  prepare(work: Work): Job | Promise<Job>;
  dispose?(): void;
}

/** A peer cannot do a work; the message says why. */
export class Unable extends Error {
  override readonly name = "Unable";
}
