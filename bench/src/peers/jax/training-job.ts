import { type numpy as np, tree } from "@jax-js/jax";
import type { Job } from "../peer.js";
import { waitFor } from "./wait.js";

type Layer = { W: np.Array; b: np.Array };
type Model = Layer[];

/**
 * A job of whole steps from a model.
 *
 * @param stored  W as a work has it, of W as the library takes it; it consumes its argument.
 */
export function trainingJob(
  initial: Model,
  step: (model: Model) => [loss: np.Array, next: Model],
  stored: (W: np.Array) => np.Array,
): Job {
  let model = tree.ref(initial);
  let loss: np.Array | null = null;
  return {
    reset() {
      tree.dispose(model);
      model = tree.ref(initial);
    },
    async run(calls) {
      for (let call = 0; call < calls; call++) {
        loss?.dispose();
        [loss, model] = step(model);
        await waitFor(loss);
      }
      await waitFor(model);
    },
    async values() {
      const found = [(await loss?.ref.data()) as Float32Array];
      for (const { W, b } of model) {
        found.push((await stored(W.ref).data()) as Float32Array, (await b.ref.data()) as Float32Array);
      }
      return found;
    },
  };
}
