import { softmax, where, type Variable } from "@robgrad/autograd";
import { codedError, type DeviceRandom, type DType, type Tensor } from "@robgrad/tensor";
import { checkElements } from "@robgrad/tensor/kernels";
import { glorot, type Initializer } from "../initializers.js";
import { asVariable, Link, type ForwardOptions } from "../link.js";
import { checkExtent } from "./check-extent.js";
import { Linear } from "./linear.js";

/** How an attention layer starts. */
export interface MultiHeadAttentionOptions {
  /** H ≥ 1, a divisor of E. */
  readonly heads: number;
  /** Draws the initial values; its device is the layer's. */
  readonly rng: DeviceRandom;
  /** Whether position t sees positions up to t alone; false unless given. */
  readonly causal?: boolean;
  /** How the four matrices start: Glorot's uniform unless given. Biases start at 0. */
  readonly weights?: Initializer;
  /** float32 unless given. */
  readonly dtype?: DType;
}

/** What is attended to. */
export interface AttentionOptions extends ForwardOptions {
  /** [N, S, E], what keys and values are made of: x itself unless given. */
  readonly memory?: Variable | Tensor;
  /** bool [N, S]: true where a position may be attended to, false for padding. All of them unless given. */
  readonly mask?: Tensor;
}

/**
 * Scaled dot-product attention with several heads.
 *
 *   y = concat(head₁, …, head_H) W_oᵀ + b_o,   head = softmax(Q Kᵀ / √d) V,   d = E/H
 *   Q = x W_qᵀ + b_q,   K = m W_kᵀ + b_k,   V = m W_vᵀ + b_v,   m the memory, each cut into H parts of d features
 *
 * N × H × T × S memory for the weights. Where the mask and causality leave a position nothing to attend to, its heads
 * are 0.
 *
 * @param features  E ≥ 1.
 * @param options   `heads` H; `rng`; `causal`; `weights`; `dtype`.
 * @throws          BAD_ARGUMENT unless H divides E; SHAPE_MISMATCH and DTYPE_MISMATCH in `forward`, also for no
 *                  positions; a sample whose mask is false everywhere makes the next read reject with BAD_DATA.
 * @see             A. Vaswani et al. (2017), Attention is all you need, §3.2.
 * @example         new MultiHeadAttention(4, { heads: 2, causal: true, rng: device.rng(0) }).forward(device.ones([2, 3, 4]))
 */
export class MultiHeadAttention extends Link {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  readonly #features: number;
  readonly #heads: number;
  readonly #causal: boolean;

  constructor(
    features: number,
    {
      heads,
      rng,
      causal = false,
      weights = glorot({ distribution: "uniform" }),
      dtype = "float32",
    }: MultiHeadAttentionOptions,
  ) {
    super();
    checkExtent("MultiHeadAttention", "features", features);
    checkExtent("MultiHeadAttention", "heads", heads);
    if (features % heads !== 0) {
      throw codedError(
        "BAD_ARGUMENT",
        `MultiHeadAttention: expected heads to divide features, found ${heads} and ${features}`,
      );
    }
    this.#features = features;
    this.#heads = heads;
    this.#causal = causal;
    const projection = () => new Linear(features, features, { rng, weights, dtype });
    this.query = projection();
    this.key = projection();
    this.value = projection();
    this.output = projection();
  }

  /** [N, T, E] → [N, T, E] */
  forward(x: Variable | Tensor, { memory, mask }: AttentionOptions = {}): Variable {
    const from = asVariable("MultiHeadAttention", x);
    const source = memory === undefined ? from : asVariable("MultiHeadAttention", memory);
    this.#checkSequence("x", from);
    this.#checkSequence("memory", source);
    const [samples, length] = from.shape as readonly [number, number];
    const positions = source.shape[1] as number;
    if (source.shape[0] !== samples) {
      throw codedError(
        "SHAPE_MISMATCH",
        `MultiHeadAttention: expected memory of ${samples} samples, found [${source.shape.join(", ")}]`,
      );
    }
    const heads = this.#heads;
    const depth = this.#features / heads;
    const split = (y: Variable, steps: number) => y.reshape([samples, steps, heads, depth]).permute([0, 2, 1, 3]);
    const q = split(this.query.forward(from), length).mul(1 / Math.sqrt(depth));
    const k = split(this.key.forward(source), positions);
    const v = split(this.value.forward(source), positions);
    const scores = q.matmul(k.transpose());
    const allowed = this.#allowed(from, positions, mask);
    // Far below any score, and finite: a row without a position stays free of NaN.
    const weights = softmax(allowed === null ? scores : where(allowed, scores, -1e30));
    const kept = this.#causal && allowed !== null && mask !== undefined ? where(allowed, weights, 0) : weights;
    const joined = kept.matmul(v).permute([0, 2, 1, 3]).reshape([samples, length, this.#features]);
    return this.output.forward(joined);
  }

  #checkSequence(name: string, x: Variable): void {
    if (x.shape.length !== 3 || x.shape[2] !== this.#features || x.shape[0] === 0 || x.shape[1] === 0) {
      throw codedError(
        "SHAPE_MISMATCH",
        `MultiHeadAttention: expected ${name} [N, T, ${this.#features}] with N, T ≥ 1, found [${x.shape.join(", ")}]`,
      );
    }
  }

  /** bool, broadcasting to [N, H, T, S]; null where everything may be attended to. */
  #allowed({ device, shape }: Variable, positions: number, mask: Tensor | undefined): Tensor | null {
    const [samples, length] = shape as readonly [number, number];
    const past = this.#causal
      ? device
          .arange(length, { dtype: "int32" })
          .reshape([length, 1])
          .greaterEqual(device.arange(positions, { dtype: "int32" }))
      : null;
    if (mask === undefined) return past;
    if (mask.dtype !== "bool")
      throw codedError("DTYPE_MISMATCH", `MultiHeadAttention: expected a bool mask, found ${mask.dtype}`);
    if (mask.shape.length !== 2 || mask.shape[0] !== samples || mask.shape[1] !== positions) {
      throw codedError(
        "SHAPE_MISMATCH",
        `MultiHeadAttention: expected a mask [${samples}, ${positions}], found [${mask.shape.join(", ")}]`,
      );
    }
    checkElements(
      mask.cast("int32").sum({ axis: 1 }),
      { outside: [1, positions + 1] },
      { kind: "no position to attend to", node: "MultiHeadAttention", parameter: "mask" },
    );
    const present = mask.reshape([samples, 1, 1, positions]);
    return past === null ? present : present.and(past);
  }
}
