import type { Work } from "../../work.js";
import type { Job, Peer } from "../peer.js";
import { plainChain } from "./chain.js";
import { plainConvolution } from "./convolution.js";
import { plainProduct } from "./product.js";
import { plainSequence } from "./sequence.js";
import { plainTraining } from "./training.js";

/** Makes the arrays a plain step keeps its numbers in; it computes in float64 either way. */
export type ArrayOf = { new (length: number): Float32Array } | { new (length: number): Float64Array };

/** Loops written by hand in JavaScript. In float64 they are the reference for everyone. */
export function openPlain(Values: ArrayOf = Float32Array): Peer {
  const prepare = (work: Work): Job => {
    switch (work.kind) {
      case "product":
        return plainProduct(work, Values);
      case "training":
        return plainTraining(work, Values);
      case "convolution":
        return plainConvolution(work, Values);
      case "chain":
        return plainChain(work, Values);
      case "sequence":
        return plainSequence(work, Values);
    }
  };
  return { versions: {}, prepare };
}
