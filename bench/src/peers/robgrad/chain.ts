import { capture, type Device, type DType, type Tensor } from "@robgrad/tensor";
import { chainInput } from "../../inputs.js";
import type { ChainWork } from "../../work.js";
import type { Job, Numbers } from "../peer.js";

const rootTwoOverPi = Math.sqrt(2 / Math.PI);

export function robgradChain(device: Device, dtype: DType, { length }: ChainWork): Job {
  const x = device.tensor(chainInput(length), { dtype, shape: [length] });
  const gelu = capture((x: Tensor) => {
    const cubic = x.mul(x).mul(x).mul(0.044715);
    return x.mul(0.5).mul(x.add(cubic).mul(rootTwoOverPi).tanh().add(1));
  });
  let y: Tensor | null = null;
  return {
    reset() {},
    async run(calls) {
      for (let call = 0; call < calls; call++) y = gelu(x);
      await (y as Tensor).slice([0, 1]).item();
    },
    values: async () => [(await (y as Tensor).data()) as Numbers],
    peakBytes: () => device.memory().peak,
  };
}
