import { gru, type GRUOptions, type GRUResult, type Variable } from "@robgrad/autograd";
import { tidy, type DeviceRandom, type DType, type Tensor } from "@robgrad/tensor";
import { constant, lecun, type Initializer } from "../initializers.js";
import { asVariable, Link } from "../link.js";
import { Parameter } from "../parameter.js";
import { checkExtent } from "./check-extent.js";

/** How a GRU is built and how it starts. */
export interface GRULinkOptions {
  /** Draws the initial values; its device is the layer's. */
  readonly rng: DeviceRandom;
  /** How U and W start: LeCun's normal unless given. */
  readonly weights?: Initializer;
  /** How b and d start: zeros unless given. */
  readonly bias?: Initializer;
  /** One node over a whole sequence, unless false: then a graph of every step's operations. */
  readonly fused?: boolean;
  /** float32 unless given. */
  readonly dtype?: DType;
}

/**
 * A gated recurrent unit, the reset gate applied after the product, as PyTorch and cuDNN have it.
 *
 *   r, u = σ(x U + h′ W + b)    n = tanh(x Uₙ + bₙ + r ∘ (h′ Wₙ + d))    h = (1 − u) ∘ n + u ∘ h′
 *
 * Sequences come first; columns of U, W and b belong to the reset gate, the update gate and the candidate. `gru` of
 * @robgrad/autograd says more.
 *
 * @param inputs   D ≥ 1.
 * @param hidden   H ≥ 1.
 * @param options  `rng`; initializers `weights` and `bias`; `fused`; `dtype`.
 * @throws         BAD_ARGUMENT for extents below 1.
 * @see            K. Cho et al. (2014), Learning phrase representations using RNN encoder–decoder, §2.3.
 * @example        new GRU(3, 8, { rng }).forward(rng.normal([4, 5, 3])).shape   // [4, 5, 8]
 */
export class GRU extends Link {
  /** [D, 3H] */
  readonly U: Parameter;
  /** [H, 3H] */
  readonly W: Parameter;
  /** [3H] */
  readonly b: Parameter;
  /** [H]: the candidate's bias inside of the reset gate. */
  readonly d: Parameter;
  readonly #fused: boolean;

  constructor(
    inputs: number,
    hidden: number,
    { rng, weights = lecun(), bias = constant(0), fused = true, dtype = "float32" }: GRULinkOptions,
  ) {
    super();
    checkExtent("GRU", "inputs", inputs);
    checkExtent("GRU", "hidden", hidden);
    const make = (name: string, initializer: Initializer, shape: readonly number[], fanIn: number) => {
      const initial = tidy(() => initializer(rng, shape, { dtype, fanIn, fanOut: hidden }));
      const made = new Parameter(initial, name);
      initial.dispose();
      return made;
    };
    this.U = make("U", weights, [inputs, 3 * hidden], inputs);
    this.W = make("W", weights, [hidden, 3 * hidden], hidden);
    this.b = make("b", bias, [3 * hidden], inputs);
    this.d = make("d", bias, [hidden], hidden);
    this.#fused = fused;
  }

  /** h after every step: [B, T, D] → [B, T, H], from a state of zeros. */
  forward(x: Variable | Tensor): Variable {
    return this.unroll(x).outputs;
  }

  /**
   * h after every step with the last state, from a state of your own, over sequences of different lengths.
   *
   * @param x        [B, T, D]
   * @param options  `h` [B, H] to start from; `mask`, bool [B, T], false where a step does not count.
   * @returns        `outputs` [B, T, H] and `h` [B, H]; a step that does not count repeats the state.
   * @throws         SHAPE_MISMATCH, DTYPE_MISMATCH, DEVICE_MISMATCH.
   * @example        new GRU(3, 8, { rng }).unroll(rng.normal([4, 5, 3]), { h: rng.normal([4, 8]) }).h
   */
  unroll(x: Variable | Tensor, options: Omit<GRUOptions, "fused"> = {}): GRUResult {
    const { U, W, b, d } = this;
    return gru(asVariable("GRU", x), { U, W, b, d }, { ...options, fused: this.#fused });
  }
}
