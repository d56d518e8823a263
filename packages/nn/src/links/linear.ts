import { linear, type Variable } from "@robgrad/autograd";
import { tidy, type DeviceRandom, type DType, type Tensor } from "@robgrad/tensor";
import { constant, lecun, type Initializer } from "../initializers.js";
import { asVariable, Link } from "../link.js";
import { Parameter } from "../parameter.js";
import { checkExtent } from "./check-extent.js";

/** How a fully connected layer starts. */
export interface LinearOptions {
  /** Draws the initial values; its device is the layer's. */
  readonly rng: DeviceRandom;
  /** How W starts: LeCun's normal unless given. */
  readonly weights?: Initializer;
  /** How b starts: zeros unless given; false for no b. */
  readonly bias?: Initializer | false;
  /** float32 unless given. */
  readonly dtype?: DType;
}

/**
 * A fully connected layer.
 *
 *   y = x Wᵀ + b
 *
 * @param inputs   P ≥ 1.
 * @param outputs  Q ≥ 1.
 * @param options  `rng`; `weights` and `bias` initializers; `dtype`.
 * @throws         BAD_ARGUMENT for extents below 1.
 * @example        const layer = new Linear(2, 10, { rng });
 */
export class Linear extends Link {
  /** [Q, P] */
  readonly W: Parameter;
  /** [Q] */
  readonly b: Parameter | null;

  constructor(
    inputs: number,
    outputs: number,
    { rng, weights = lecun(), bias = constant(0), dtype = "float32" }: LinearOptions,
  ) {
    super();
    checkExtent("Linear", "inputs", inputs);
    checkExtent("Linear", "outputs", outputs);
    const options = { dtype, fanIn: inputs, fanOut: outputs };
    const parameter = (name: string, initializer: Initializer, shape: readonly number[]) => {
      const initial = tidy(() => initializer(rng, shape, options));
      const made = new Parameter(initial, name);
      initial.dispose();
      return made;
    };
    this.W = parameter("W", weights, [outputs, inputs]);
    this.b = bias === false ? null : parameter("b", bias, [outputs]);
  }

  /** [N, …, P] → [N, …, Q] */
  forward(x: Variable | Tensor): Variable {
    const input = asVariable("Linear", x);
    return this.b === null ? linear(input, this.W) : linear(input, this.W, this.b);
  }
}
