import { jit, numpy as np } from "@jax-js/jax";
import { chainInput } from "../../inputs.js";
import type { ChainWork } from "../../work.js";
import type { Job } from "../peer.js";
import { waitFor } from "./wait.js";

const rootTwoOverPi = Math.sqrt(2 / Math.PI);

export function jaxChain({ length }: ChainWork): Job {
  const x = np.array(chainInput(length));
  const gelu = jit((x: np.Array) => {
    const cubic = x.ref.mul(x.ref).mul(x.ref).mul(0.044715);
    return x.ref.mul(0.5).mul(np.tanh(x.add(cubic).mul(rootTwoOverPi)).add(1));
  });
  let y: np.Array | null = null;
  return {
    reset() {},
    async run(calls) {
      for (let call = 0; call < calls; call++) {
        y?.dispose();
        y = gelu(x.ref);
        await waitFor(y);
      }
    },
    values: async () => [(await y?.ref.data()) as Float32Array],
  };
}
