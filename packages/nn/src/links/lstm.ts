import { lstm, type LSTMOptions, type LSTMResult, type Variable } from "@robgrad/autograd";
import { codedError, concat, tidy, type DeviceRandom, type DType, type Tensor } from "@robgrad/tensor";
import { constant, lecun, type Initializer } from "../initializers.js";
import { asVariable, Link } from "../link.js";
import { Parameter } from "../parameter.js";
import { checkExtent } from "./check-extent.js";

/** Whether gates see the memory cell: each unit its own, all units all of it, or not at all. */
export type Peephole = "diagonal" | "full" | "none";

/** How an LSTM is built and how it starts. */
export interface LSTMLinkOptions {
  /** Draws the initial values; its device is the layer's. */
  readonly rng: DeviceRandom;
  /** What gates see of the memory cell: nothing ("none") unless given. */
  readonly peephole?: Peephole;
  /** How U and W start: LeCun's normal unless given. */
  readonly weights?: Initializer;
  /** How the peepholes start: zeros unless given. */
  readonly peepholes?: Initializer;
  /** How b starts, the forget gate aside: zeros unless given. */
  readonly bias?: Initializer;
  /** What the forget gate's bias starts at: 1 unless given, so that the memory lasts. */
  readonly forgetBias?: number;
  /** One node over a whole sequence, unless false: then a graph of every step's operations. */
  readonly fused?: boolean;
  /** float32 unless given. */
  readonly dtype?: DType;
}

/**
 * The LSTM of A. Graves, with peepholes or without.
 *
 *   i, f = σ(x U + h′ W + c′ ∘ V + b)    c = f ∘ c′ + i ∘ tanh(x U + h′ W + b)
 *   o = σ(x U + h′ W + c ∘ V + b)        h = o ∘ tanh c
 *
 * Sequences come first; columns of U, W and b belong to i, f, the candidate and o. `lstm` of @robgrad/autograd says
 * more.
 *
 * @param inputs   D ≥ 1.
 * @param hidden   H ≥ 1.
 * @param options  `rng`; `peephole`; initializers `weights`, `peepholes` and `bias`, `forgetBias`; `fused`; `dtype`.
 * @throws         BAD_ARGUMENT for extents below 1 or another `peephole`.
 * @see            A. Graves (2013), Generating sequences with recurrent neural networks, equations (7)–(11); R. Jozefowicz
 *                 et al. (2015), An empirical exploration of recurrent network architectures, §2.2, for the forget gate's bias.
 * @example        new LSTM(3, 8, { rng, peephole: "diagonal" }).forward(rng.normal([4, 5, 3])).shape   // [4, 5, 8]
 */
export class LSTM extends Link {
  /** [D, 4H] */
  readonly U: Parameter;
  /** [H, 4H] */
  readonly W: Parameter;
  /** [4H] */
  readonly b: Parameter;
  /** Of i, f and o: [H] for diagonal peepholes, [H, H] for full ones, nothing for none. */
  readonly V: readonly Parameter[];
  readonly #fused: boolean;

  constructor(
    inputs: number,
    hidden: number,
    {
      rng,
      peephole = "none",
      weights = lecun(),
      peepholes = constant(0),
      bias = constant(0),
      forgetBias = 1,
      fused = true,
      dtype = "float32",
    }: LSTMLinkOptions,
  ) {
    super();
    checkExtent("LSTM", "inputs", inputs);
    checkExtent("LSTM", "hidden", hidden);
    if (peephole !== "none" && peephole !== "diagonal" && peephole !== "full") {
      throw codedError(
        "BAD_ARGUMENT",
        `LSTM: expected peephole to be "diagonal", "full" or "none", found ${JSON.stringify(peephole)}`,
      );
    }
    const make = (name: string, draw: () => Tensor) => {
      const initial = tidy(draw);
      const made = new Parameter(initial, name);
      initial.dispose();
      return made;
    };
    const from = (fanIn: number) => ({ dtype, fanIn, fanOut: hidden });
    this.U = make("U", () => weights(rng, [inputs, 4 * hidden], from(inputs)));
    this.W = make("W", () => weights(rng, [hidden, 4 * hidden], from(hidden)));
    this.b = make("b", () => {
      const drawn = bias(rng, [4 * hidden], from(inputs));
      const forget = rng.device.full([hidden], forgetBias, { dtype });
      return concat([drawn.slice([0, hidden]), forget, drawn.slice([2 * hidden, 4 * hidden])]);
    });
    const seen = peephole === "full" ? [hidden, hidden] : [hidden];
    const gates = peephole === "none" ? [] : ["i", "f", "o"];
    this.V = gates.map((gate) => make(`V${gate}`, () => peepholes(rng, seen, from(seen.length === 2 ? hidden : 1))));
    this.#fused = fused;
  }

  /** h after every step: [B, T, D] → [B, T, H], from states of zeros. */
  forward(x: Variable | Tensor): Variable {
    return this.unroll(x).outputs;
  }

  /**
   * h after every step with the last states, from states of your own, over sequences of different lengths.
   *
   * @param x        [B, T, D]
   * @param options  `h` and `c` [B, H] to start from; `mask`, bool [B, T], false where a step does not count.
   * @returns        `outputs` [B, T, H], `h` and `c` [B, H]; a step that does not count repeats the state.
   * @throws         SHAPE_MISMATCH, DTYPE_MISMATCH, DEVICE_MISMATCH.
   * @example
   * const layer = new LSTM(3, 8, { rng });
   * const first = layer.unroll(rng.normal([4, 5, 3]));
   * layer.unroll(rng.normal([4, 2, 3]), { h: first.h, c: first.c });
   */
  unroll(x: Variable | Tensor, options: Omit<LSTMOptions, "fused"> = {}): LSTMResult {
    const { U, W, b } = this;
    const [i, f, o] = this.V;
    const V = i === undefined || f === undefined || o === undefined ? {} : { V: [i, f, o] as const };
    return lstm(asVariable("LSTM", x), { U, W, b, ...V }, { ...options, fused: this.#fused });
  }
}
