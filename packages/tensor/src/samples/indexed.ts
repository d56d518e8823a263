import { codedError } from "../errors.js";
import { mapExpression } from "../ops/elementwise.js";
import { oneHot, scatterAdd } from "../ops/indexing.js";
import type { ScalarFunction } from "../scalar/scalar.js";
import { ownedTensors, withoutTemporaries } from "../scope.js";
import { formatShape, sameShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { ExpandedSamples } from "./expanded.js";
import { checkTensors, weighted, weightsFor } from "./questions.js";
import type { SampleMatrix } from "./sample-matrix.js";

/** Row n is Σₜ onehot(iₙₜ) ⊗ xₙₜ. Sums over samples go to the indexed places alone; the rest is asked of the factors. */
class IndexedSamples extends ExpandedSamples {
  readonly #indices: Tensor;
  readonly #size: number;

  constructor(indices: Tensor, x: Tensor, size: number) {
    super(oneHot(indices, size, { dtype: x.dtype }), x, [size, x.shape[2] as number]);
    this.#indices = indices;
    this.#size = size;
  }

  override mean(f?: ScalarFunction, ...perFeature: readonly Tensor[]): Tensor {
    if (f !== undefined) return super.mean(f, ...perFeature);
    return withoutTemporaries(this.device, () => this.#added(this.x).mul(1 / this.samples));
  }

  override combine(weights: Tensor): Tensor {
    const w = weightsFor("combine", this, weights, [this.samples]).reshape([this.samples, 1, 1]);
    return withoutTemporaries(this.device, () => this.#added(mapExpression("combine", weighted, [w, this.x])));
  }

  #added(x: Tensor): Tensor {
    return scatterAdd(this.#indices, x, { size: this.#size }).reshape([this.features]);
  }

  override [ownedTensors](): readonly Tensor[] {
    return [...super[ownedTensors](), this.#indices];
  }
}

/**
 * The sample matrix of a table that is looked up T times per sample: row n is Σₜ onehot(iₙₜ) ⊗ xₙₜ. N × T × (V + P)
 * memory; its mean and its weighted sums touch N × T × P numbers alone.
 *
 * @param indices  int32 [N, T] in [0, V).
 * @param x        [N, T, P], the gradients in what was looked up.
 * @param options  `size` V ≥ 1, how many entries the table has.
 * @returns        N × VP in factors.
 * @throws         SHAPE_MISMATCH, DTYPE_MISMATCH, DEVICE_MISMATCH.
 * @example        indexed(device.tensor([[0, 2], [1, 1]], { dtype: "int32" }), device.ones([2, 2, 3]), { size: 4 }).mean()
 */
export function indexed(indices: Tensor, x: Tensor, { size }: { readonly size: number }): SampleMatrix {
  checkTensors("indexed", [x]);
  if (indices.shape.length !== 2 || x.shape.length !== 3 || !sameShape(indices.shape, x.shape.slice(0, 2))) {
    throw codedError(
      "SHAPE_MISMATCH",
      `indexed: expected indices [N, T] and x [N, T, P], found ${formatShape(indices.shape)} and ${formatShape(x.shape)}`,
    );
  }
  return new IndexedSamples(indices, x, size);
}
