import { standardize, type Variable } from "@robgrad/autograd";
import { codedError, type Tensor } from "@robgrad/tensor";
import { asVariable, Link } from "../link.js";
import type { Parameter } from "../parameter.js";
import { checkExtent } from "./check-extent.js";
import { checkChannels, checkEpsilon, filled, scaleChannels, type NormalizationOptions } from "./normalization.js";

/**
 * Zero mean and unit variance over groups of channels of every sample, then a gain and a shift per channel.
 *
 *   y = γ_c (x − x̄) / √(s² + ε) + β_c,   x̄ and s² over the C/G channels of a group and all places
 *
 * Samples stay apart, so it trains with per-sample gradients where batch normalization cannot. One group is layer
 * normalization with a gain per channel, C groups are instance normalization.
 *
 * @param groups    G ≥ 1, a divisor of C.
 * @param channels  C ≥ 1.
 * @param options   `device`; `epsilon` ε, 1e-5 unless given; `dtype`.
 * @throws          BAD_ARGUMENT unless G divides C and ε > 0; SHAPE_MISMATCH in `forward` for other channels.
 * @see             Y. Wu, K. He (2018), Group normalization, equations (1), (2) and (7).
 * @example         new GroupNorm(2, 4, { device }).forward(device.ones([2, 4, 5, 5]))
 */
export class GroupNorm extends Link {
  /** γ [C], ones at the start. */
  readonly gain: Parameter;
  /** β [C], zeros at the start. */
  readonly shift: Parameter;
  readonly #groups: number;
  readonly #epsilon: number;

  constructor(groups: number, channels: number, { device, epsilon = 1e-5, dtype = "float32" }: NormalizationOptions) {
    super();
    checkExtent("GroupNorm", "groups", groups);
    checkExtent("GroupNorm", "channels", channels);
    checkEpsilon("GroupNorm", epsilon);
    if (channels % groups !== 0)
      throw codedError(
        "BAD_ARGUMENT",
        `GroupNorm: expected groups to divide channels, found ${groups} and ${channels}`,
      );
    this.#groups = groups;
    this.#epsilon = epsilon;
    this.gain = filled(device, "gain", [channels], 1, dtype);
    this.shift = filled(device, "shift", [channels], 0, dtype);
  }

  /** [N, C, …] → the same */
  forward(x: Variable | Tensor): Variable {
    const input = asVariable("GroupNorm", x);
    const [channels] = this.gain.shape as readonly [number];
    checkChannels("GroupNorm", input, channels);
    const [samples, , ...places] = input.shape as [number, number, ...number[]];
    const grouped = input.reshape([samples, this.#groups, places.reduce((a, b) => a * b, channels / this.#groups)]);
    const { values } = standardize(grouped, { axis: 2, epsilon: this.#epsilon, label: "GroupNorm" });
    return scaleChannels(values.reshape(input.shape), this.gain, this.shift);
  }
}
