import { standardize, type Variable } from "@robgrad/autograd";
import { codedError, type Tensor } from "@robgrad/tensor";
import { asVariable, Link } from "../link.js";
import type { Parameter } from "../parameter.js";
import { checkExtent } from "./check-extent.js";
import { checkEpsilon, filled, type NormalizationOptions } from "./normalization.js";

/**
 * Zero mean and unit variance over the last axes of every sample, then a gain and a shift per feature.
 *
 *   y = γ (x − x̄) / √(s² + ε) + β,   s² = mean (x − x̄)²
 *
 * @param shape    The last extents of x, or the last one alone.
 * @param options  `device`; `epsilon` ε, 1e-5 unless given; `dtype`.
 * @throws         BAD_ARGUMENT for extents below 1 or ε ≤ 0; SHAPE_MISMATCH in `forward` for other last extents.
 * @see            J. Ba, J. Kiros, G. Hinton (2016), Layer normalization, equation (4).
 * @example        new LayerNorm(4, { device }).forward(device.ones([2, 3, 4]))
 */
export class LayerNorm extends Link {
  /** γ, ones at the start. */
  readonly gain: Parameter;
  /** β, zeros at the start. */
  readonly shift: Parameter;
  protected readonly epsilon: number;

  constructor(shape: number | readonly number[], { device, epsilon = 1e-5, dtype = "float32" }: NormalizationOptions) {
    super();
    const extents = typeof shape === "number" ? [shape] : shape;
    if (extents.length === 0) throw codedError("BAD_ARGUMENT", "LayerNorm: expected at least one extent, found none");
    for (const extent of extents) checkExtent("LayerNorm", "every extent", extent);
    checkEpsilon("LayerNorm", epsilon);
    this.epsilon = epsilon;
    this.gain = filled(device, "gain", extents, 1, dtype);
    this.shift = filled(device, "shift", extents, 0, dtype);
  }

  /** [N, …, …shape] → the same */
  forward(x: Variable | Tensor): Variable {
    const input = asVariable("LayerNorm", x);
    const { shape } = this.gain;
    const lead = input.shape.length - shape.length;
    if (lead < 1 || shape.some((extent, k) => input.shape[lead + k] !== extent)) {
      throw codedError(
        "SHAPE_MISMATCH",
        `LayerNorm: expected x [N, …, ${shape.join(", ")}], found [${input.shape.join(", ")}]`,
      );
    }
    const axis = shape.map((_, k) => lead + k);
    const { values } = standardize(input, { axis, epsilon: this.epsilon, label: "LayerNorm" });
    return values.mul(this.gain).add(this.shift);
  }
}
