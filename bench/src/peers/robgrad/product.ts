import { capture, type Device, type DType, type Tensor } from "@robgrad/tensor";
import { factors } from "../../inputs.js";
import type { ProductWork } from "../../work.js";
import type { Job, Numbers } from "../peer.js";

export function robgradProduct(device: Device, dtype: DType, work: ProductWork): Job {
  const { rows, inner, columns, transposeA, transposeB } = work;
  const [left, right] = factors(work);
  const a = device.tensor(left, { dtype, shape: transposeA ? [inner, rows] : [rows, inner] });
  const b = device.tensor(right, { dtype, shape: transposeB ? [columns, inner] : [inner, columns] });
  const product = capture((a: Tensor, b: Tensor) =>
    (transposeA ? a.transpose() : a).matmul(transposeB ? b.transpose() : b),
  );
  let out: Tensor | null = null;
  return {
    reset() {},
    async run(calls) {
      for (let call = 0; call < calls; call++) out = product(a, b);
      await (out as Tensor).slice([0, 1], [0, 1]).item();
    },
    values: async () => [(await (out as Tensor).data()) as Numbers],
    peakBytes: () => device.memory().peak,
  };
}
