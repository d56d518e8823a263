import type { Variable } from "@robgrad/autograd";
import type { Parameter, Sequential } from "@robgrad/nn";
import type { Device, Tensor } from "@robgrad/tensor";
import type { Job, Numbers } from "../peer.js";

/** A job of whole steps of a model: what it starts from, and one step, which answers with its loss. */
export function trainingJob(
  device: Device,
  model: Sequential,
  initial: readonly (readonly [parameter: Parameter, value: Tensor])[],
  step: () => Variable,
): Job {
  let loss: Variable | null = null;
  const reset = () => initial.forEach(([parameter, value]) => parameter.assign(value));
  reset();
  return {
    reset,
    async run(calls) {
      for (let call = 0; call < calls; call++) loss = step();
      await (loss as Variable).item();
    },
    async values() {
      const parameters = [...model.parameters()].map((parameter) => parameter.data());
      return [await (loss as Variable).data(), ...(await Promise.all(parameters))] as Numbers[];
    },
    peakBytes: () => device.memory().peak,
  };
}
