import { lstm, Variable } from "@robgrad/autograd";
import { capture, type Device, type DType, type Tensor } from "@robgrad/tensor";
import type { SequenceWork } from "../../work.js";
import type { Job, Numbers } from "../peer.js";

export function robgradSequence(device: Device, dtype: DType, work: SequenceWork): Job {
  const { steps, batch, inputs, hidden } = work;
  const data = work.data(work);
  const make = (values: Float64Array, shape: readonly number[]) => device.tensor(values, { dtype, shape });
  const x = make(data.x, [batch, steps, inputs]);
  const parameters = [
    make(data.U, [inputs, 4 * hidden]),
    make(data.W, [hidden, 4 * hidden]),
    make(data.b, [4 * hidden]),
  ];
  const pass = capture((x: Tensor) => {
    const all = [x, ...parameters].map((value) => new Variable(value)) as [Variable, Variable, Variable, Variable];
    const [from, U, W, b] = all;
    const loss = lstm(from, { U, W, b }).outputs.square().mean();
    loss.backward();
    return [loss.value, ...all.map(({ grad }) => (grad as Variable).value)];
  });
  let found: readonly Tensor[] = [];
  return {
    reset() {},
    async run(calls) {
      for (let call = 0; call < calls; call++) found = pass(x);
      await found[0]?.item();
    },
    values: async () => Promise.all(found.map(async (tensor) => (await tensor.data()) as Numbers)),
    peakBytes: () => device.memory().peak,
  };
}
