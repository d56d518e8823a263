import type { ProductWork } from "../work.js";

const square = (extent: number, calls: number): ProductWork => ({
  kind: "product",
  id: `gemm-${extent}`,
  title: `matrix product ${extent}³`,
  calls,
  rows: extent,
  inner: extent,
  columns: extent,
  transposeA: false,
  transposeB: false,
});

const [samples, inputs, outputs] = [256, 784, 256];
const layer = { kind: "product", calls: 10 } as const;

/** Square products, and the three of a 784 → 256 layer on 256 samples: y = x Wᵀ, ∂x = δ W, ∂W = δᵀ x. */
export const gemm: readonly ProductWork[] = [
  square(128, 200),
  square(512, 4),
  square(1024, 1),
  {
    ...layer,
    id: "gemm-forward",
    title: "x Wᵀ of a 784 → 256 layer, N 256",
    rows: samples,
    inner: inputs,
    columns: outputs,
    transposeA: false,
    transposeB: true,
  },
  {
    ...layer,
    id: "gemm-inputs",
    title: "δ W of a 784 → 256 layer, N 256",
    rows: samples,
    inner: outputs,
    columns: inputs,
    transposeA: false,
    transposeB: false,
  },
  {
    ...layer,
    id: "gemm-weights",
    title: "δᵀ x of a 784 → 256 layer, N 256",
    rows: outputs,
    inner: samples,
    columns: inputs,
    transposeA: true,
    transposeB: false,
  },
];
