import { codedError, tidy, type DeviceRandom, type DType } from "@robgrad/tensor";
import type { ConvolutionOptions } from "@robgrad/autograd";
import { constant, lecun, type Initializer } from "../initializers.js";
import { Link } from "../link.js";
import { Parameter } from "../parameter.js";

/** How a convolutional layer starts, and how its windows lie. */
export interface ConvolutionLinkOptions extends ConvolutionOptions {
  /** Draws the initial values; its device is the layer's. */
  readonly rng: DeviceRandom;
  /** How W starts: LeCun's normal unless given. */
  readonly weights?: Initializer;
  /** How b starts: zeros unless given; false for no b. */
  readonly bias?: Initializer | false;
  /** float32 unless given. */
  readonly dtype?: DType;
}

/** What layers that convolve have in common: their parameters. */
export abstract class ConvolutionLink extends Link {
  /** [Q, C / groups, …kernel] */
  readonly W: Parameter;
  /** [Q] */
  readonly b: Parameter | null;
  protected readonly options: ConvolutionOptions;

  constructor(
    subject: string,
    channels: number,
    outputs: number,
    kernel: readonly number[],
    { rng, weights = lecun(), bias = constant(0), dtype = "float32", ...options }: ConvolutionLinkOptions,
  ) {
    super();
    const { groups = 1 } = options;
    for (const [name, extent] of [
      ["channels", channels],
      ["outputs", outputs],
      ["groups", groups],
      ...kernel.map((size) => ["kernel", size] as const),
    ] as const) {
      if (!Number.isInteger(extent) || extent < 1) {
        throw codedError("BAD_ARGUMENT", `${subject}: expected ${name} to be a whole number ≥ 1, found ${extent}`);
      }
    }
    if (channels % groups !== 0 || outputs % groups !== 0) {
      throw codedError(
        "BAD_ARGUMENT",
        `${subject}: expected groups to divide channels and outputs, found ${groups} for ${channels} and ${outputs}`,
      );
    }
    const elements = kernel.reduce((product, size) => product * size, 1);
    const fans = { dtype, fanIn: (channels / groups) * elements, fanOut: (outputs / groups) * elements };
    const parameter = (name: string, initializer: Initializer, shape: readonly number[]) => {
      const initial = tidy(() => initializer(rng, shape, fans));
      const made = new Parameter(initial, name);
      initial.dispose();
      return made;
    };
    this.W = parameter("W", weights, [outputs, channels / groups, ...kernel]);
    this.b = bias === false ? null : parameter("b", bias, [outputs]);
    this.options = options;
  }
}
