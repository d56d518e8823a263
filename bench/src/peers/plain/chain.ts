import { chainInput } from "../../inputs.js";
import type { ChainWork } from "../../work.js";
import type { Job } from "../peer.js";
import type { ArrayOf } from "./plain.js";

const rootTwoOverPi = Math.sqrt(2 / Math.PI);

export function plainChain({ length }: ChainWork, Values: ArrayOf): Job {
  const x = chainInput(length);
  const y = new Values(length);
  return {
    reset() {},
    run(calls) {
      for (let call = 0; call < calls; call++) {
        for (let i = 0; i < length; i++) {
          const u = x[i] as number;
          y[i] = 0.5 * u * (1 + Math.tanh(rootTwoOverPi * (u + 0.044715 * u * u * u)));
        }
      }
    },
    values: () => [y],
  };
}
