import type { Variable } from "@robgrad/autograd";
import { codedError, tidy, type DeviceRandom, type DType, type Tensor } from "@robgrad/tensor";
import { checkElements } from "@robgrad/tensor/kernels";
import { lecun, type Initializer } from "../initializers.js";
import { asVariable, Link } from "../link.js";
import { Parameter } from "../parameter.js";
import { checkExtent } from "./check-extent.js";

/** How a table starts: drawn, or shared with another layer. */
export interface EmbeddingOptions {
  /** Draws the initial values; not needed for a table that exists. */
  readonly rng?: DeviceRandom;
  /** How W starts, standard normal over √E unless given; or a parameter [V, E] of another layer, to be tied to it. */
  readonly weights?: Initializer | Parameter;
  /** float32 unless given; that of a tied parameter. */
  readonly dtype?: DType;
}

/**
 * A table of vectors, looked up by index.
 *
 *   y[n, t, :] = W[x[n, t], :]
 *
 * Row n of its per-sample gradients is Σₜ onehot(x[n, t]) ⊗ δ[n, t], kept as these factors: N × T × (V + E). A tied W
 * has its rows added over both uses before anything is aggregated.
 *
 * @param entries   V ≥ 1.
 * @param features  E ≥ 1.
 * @param options   `rng`; `weights`, an initializer or a Parameter to share; `dtype`.
 * @throws          BAD_ARGUMENT for extents below 1 or neither `rng` nor a parameter, SHAPE_MISMATCH for a parameter of
 *                  another shape; DTYPE_MISMATCH in `forward` unless indices are int32; an index out of range makes the
 *                  next read reject with BAD_DATA.
 * @see             Tying: O. Press, L. Wolf (2017), Using the output embedding to improve language models.
 * @example         new Embedding(10, 4, { rng: device.rng(0) }).forward(device.tensor([[1, 9]], { dtype: "int32" }))
 */
export class Embedding extends Link {
  /** [V, E] */
  readonly W: Parameter;

  constructor(entries: number, features: number, { rng, weights = lecun(), dtype = "float32" }: EmbeddingOptions) {
    super();
    checkExtent("Embedding", "entries", entries);
    checkExtent("Embedding", "features", features);
    if (weights instanceof Parameter) {
      if (weights.shape.length !== 2 || weights.shape[0] !== entries || weights.shape[1] !== features) {
        throw codedError(
          "SHAPE_MISMATCH",
          `Embedding: expected a parameter of shape [${entries}, ${features}], found [${weights.shape.join(", ")}]`,
        );
      }
      this.W = weights;
      return;
    }
    if (rng === undefined)
      throw codedError("BAD_ARGUMENT", "Embedding: expected rng or a parameter to share, found none");
    const initial = tidy(() => weights(rng, [entries, features], { dtype, fanIn: features, fanOut: features }));
    this.W = new Parameter(initial, "W");
    initial.dispose();
  }

  /** int32 [N, …] → [N, …, E] */
  forward(x: Variable | Tensor): Variable {
    const indices = asVariable("Embedding", x).value;
    if (indices.dtype !== "int32") {
      throw codedError(
        "DTYPE_MISMATCH",
        `Embedding: expected int32 indices, found ${indices.dtype} [${indices.shape.join(", ")}]`,
      );
    }
    if (indices.shape.length === 0)
      throw codedError("SHAPE_MISMATCH", "Embedding: expected samples on axis 0 of the indices, found int32 []");
    checkElements(
      indices,
      { outside: [0, this.W.shape[0] as number] },
      { kind: "index out of range", node: "Embedding", parameter: this.W.name ?? "W" },
    );
    return this.W.gather(indices);
  }
}
