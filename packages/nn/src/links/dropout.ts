import type { Variable } from "@robgrad/autograd";
import { codedError, type DeviceRandom, type Tensor } from "@robgrad/tensor";
import { asVariable, Link, type ForwardOptions } from "../link.js";

/**
 * Drops values at random while training, and does nothing else.
 *
 *   y = x · m / (1 − p),   m = 1 with probability 1 − p, else 0, for every element
 *
 * Every call that trains is one draw of `rng`, whose count is a cell: a captured step draws anew at each replay, and a
 * generator of the same seed repeats the masks, on any device.
 *
 * @param p        Share of values to drop, in [0, 1).
 * @param options  `rng` of the input's device.
 * @throws         BAD_ARGUMENT for p out of range; DTYPE_MISMATCH in `forward` for integers.
 * @see            N. Srivastava et al. (2014), Dropout, §4; scaled in training, §10.
 * @example        new Dropout(0.5, { rng: device.rng(0) }).forward(device.ones([2, 3]), { training: true })
 */
export class Dropout extends Link {
  readonly p: number;
  readonly #rng: DeviceRandom;

  constructor(p: number, { rng }: { readonly rng: DeviceRandom }) {
    super();
    if (!(p >= 0 && p < 1)) throw codedError("BAD_ARGUMENT", `Dropout: expected p in [0, 1), found ${p}`);
    this.p = p;
    this.#rng = rng;
  }

  /** The same shape. */
  forward(x: Variable | Tensor, { training = false }: ForwardOptions = {}): Variable {
    const input = asVariable("Dropout", x);
    if (!training || this.p === 0) return input;
    const { p } = this;
    const drawn = this.#rng.uniform(input.shape, { dtype: input.dtype });
    return input.mul(drawn.map((u) => u.greaterEqual(p).mul(1 / (1 - p))));
  }
}
