import { codedError, type DeviceRandom, type DType, type Tensor } from "@robgrad/tensor";

/** The parameter that an initializer draws for. */
export interface InitializerOptions {
  readonly dtype: DType;
  /** How many values are summed into an output. */
  readonly fanIn: number;
  /** How many outputs an input reaches. */
  readonly fanOut: number;
}

/** Draws the first value of a parameter. */
export type Initializer = (rng: DeviceRandom, shape: readonly number[], options: InitializerOptions) => Tensor;

/** How an initializer of given variance draws. */
export interface DistributionOption {
  /** Shape of the distribution; its variance is the same either way. */
  readonly distribution?: "normal" | "uniform";
}

/**
 * Uniform on [low, high).
 *
 * @throws   BAD_ARGUMENT unless low ≤ high, both finite.
 * @example  new Linear(2, 10, { rng, weights: uniform({ low: -0.05, high: 0.05 }) })
 */
export function uniform({ low, high }: { readonly low: number; readonly high: number }): Initializer {
  if (!(Number.isFinite(low) && Number.isFinite(high) && low <= high)) {
    throw codedError("BAD_ARGUMENT", `uniform: expected finite low ≤ high, found ${low} and ${high}`);
  }
  return (rng, shape, { dtype }) => rng.uniform(shape, { low, high, dtype });
}

/**
 * One value everywhere.
 *
 * @example  new Linear(2, 10, { rng, bias: constant(0.1) })
 */
export function constant(value: number): Initializer {
  if (!Number.isFinite(value)) throw codedError("BAD_ARGUMENT", `constant: expected a finite value, found ${value}`);
  return (rng, shape, { dtype }) => rng.device.full(shape, value, { dtype });
}

/** Zero mean and a variance that depends on the fans. */
function scaled(
  variance: (options: InitializerOptions) => number,
  { distribution = "normal" }: DistributionOption,
): Initializer {
  return (rng, shape, options) => {
    const deviation = Math.sqrt(variance(options));
    // A uniform law on ±a has variance a²/3.
    const bound = deviation * Math.sqrt(3);
    return distribution === "normal"
      ? rng.normal(shape, { standardDeviation: deviation, dtype: options.dtype })
      : rng.uniform(shape, { low: -bound, high: bound, dtype: options.dtype });
  };
}

/**
 * Variance 1/fanIn: keeps the variance of linear units.
 *
 * @see      Y. LeCun et al. (1998), Efficient BackProp, §4.6.
 * @example  new Linear(2, 10, { rng, weights: lecun() })
 */
export function lecun(options: DistributionOption = {}): Initializer {
  return scaled(({ fanIn }) => 1 / fanIn, options);
}

/**
 * Variance 2/fanIn: keeps the second moment of ReLU units.
 *
 * @see      K. He et al. (2015), Delving deep into rectifiers, equation (10).
 * @example  new Linear(2, 10, { rng, weights: he({ distribution: "uniform" }) })
 */
export function he(options: DistributionOption = {}): Initializer {
  return scaled(({ fanIn }) => 2 / fanIn, options);
}

/**
 * Variance 2/(fanIn + fanOut): a compromise between forward and backward passes.
 *
 * @see      X. Glorot, Y. Bengio (2010), Understanding the difficulty of training deep feedforward networks, equation (16).
 * @example  new Linear(2, 10, { rng, weights: glorot() })
 */
export function glorot(options: DistributionOption = {}): Initializer {
  return scaled(({ fanIn, fanOut }) => 2 / (fanIn + fanOut), options);
}
