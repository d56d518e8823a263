import type { ChainWork } from "../work.js";

/** A chain of elementwise operations, gelu by its tanh formula, too long for caches. */
export const chain: readonly ChainWork[] = [
  { kind: "chain", id: "chain-1e6", title: "gelu of 10⁶ floats", length: 1e6, calls: 5 },
  { kind: "chain", id: "chain-1e7", title: "gelu of 10⁷ floats", length: 1e7, calls: 1 },
];
