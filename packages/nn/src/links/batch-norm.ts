import { standardize, type Variable } from "@robgrad/autograd";
import { codedError, type Cell, type Tensor } from "@robgrad/tensor";
import { apply, checkElements, constant, input as operand } from "@robgrad/tensor/kernels";
import { asVariable, Link, type ForwardOptions } from "../link.js";
import type { Parameter } from "../parameter.js";
import { checkExtent } from "./check-extent.js";
import { checkChannels, checkEpsilon, filled, scaleChannels, type NormalizationOptions } from "./normalization.js";

/** How batch normalization starts, and how its running statistics follow. */
export interface BatchNormOptions extends NormalizationOptions {
  /** ρ in (0, 1]: the share of a batch in the running statistics; 0.1 unless given. */
  readonly momentum?: number;
}

/**
 * Zero mean and unit variance per channel, then a gain and a shift.
 *
 *   y = γ_c (x − m_c) / √(v_c + ε) + β_c
 *
 * In evaluation m and v are running statistics: cells, moved by every training pass, r ← (1 − ρ) r + ρ b with b the
 * batch's mean and its variance of divisor n − 1. In training m and v are those of the batch (divisor n) over axis 0 and
 * all places. That joins samples: `backward` works, `sampleGradients` throws SAMPLES_MIXED. Train robustly with
 * GroupNorm or LayerNorm, or with this layer evaluating.
 *
 * @param channels  C ≥ 1.
 * @param options   `device`; `momentum` ρ in (0, 1]; `epsilon` ε, 1e-5 unless given; `dtype`.
 * @throws          BAD_ARGUMENT for options out of range; SHAPE_MISMATCH in `forward` for other channels, or in training
 *                  for fewer than two values per channel. A batch statistic that is not finite makes the next read
 *                  reject with BAD_DATA and leaves the running statistics alone.
 * @see             S. Ioffe, C. Szegedy (2015), Batch normalization, Algorithms 1 and 2.
 * @example         new BatchNorm(4, { device }).forward(device.ones([2, 4, 5, 5]))
 */
export class BatchNorm extends Link {
  /** γ [C], ones at the start. */
  readonly gain: Parameter;
  /** β [C], zeros at the start. */
  readonly shift: Parameter;
  /** [C], zeros at the start. */
  readonly runningMean: Cell;
  /** [C], ones at the start. */
  readonly runningVariance: Cell;
  protected readonly epsilon: number;
  readonly #momentum: number;

  constructor(channels: number, { device, momentum = 0.1, epsilon = 1e-5, dtype = "float32" }: BatchNormOptions) {
    super();
    checkExtent("BatchNorm", "channels", channels);
    checkEpsilon("BatchNorm", epsilon);
    if (!(momentum > 0 && momentum <= 1))
      throw codedError("BAD_ARGUMENT", `BatchNorm: expected momentum in (0, 1], found ${momentum}`);
    this.epsilon = epsilon;
    this.#momentum = momentum;
    this.gain = filled(device, "gain", [channels], 1, dtype);
    this.shift = filled(device, "shift", [channels], 0, dtype);
    [this.runningMean, this.runningVariance] = [0, 1].map((value) => {
      const initial = device.full([channels], value, { dtype });
      const cell = device.cell(initial);
      initial.dispose();
      return cell;
    }) as [Cell, Cell];
  }

  /** [N, C, …] → the same */
  forward(x: Variable | Tensor, { training = false }: ForwardOptions = {}): Variable {
    const input = asVariable("BatchNorm", x);
    checkChannels("BatchNorm", input, this.gain.shape[0] as number);
    return scaleChannels(training ? this.#byBatch(input) : this.#byHistory(input), this.gain, this.shift);
  }

  #byBatch(x: Variable): Variable {
    const axis = x.shape.map((_, k) => k).filter((k) => k !== 1);
    const count = axis.reduce((product, k) => product * (x.shape[k] as number), 1);
    if (count < 2) {
      throw codedError(
        "SHAPE_MISMATCH",
        `BatchNorm: expected at least two values per channel to train on, found ${count} in x [${x.shape.join(", ")}]`,
      );
    }
    const { values, mean, variance } = standardize(x, { axis, epsilon: this.epsilon, label: "BatchNorm" });
    this.#follow(this.runningMean, mean, 1, "the batch mean");
    this.#follow(this.runningVariance, variance, count / (count - 1), "the batch variance");
    return values;
  }

  #follow(running: Cell, statistic: Tensor, factor: number, parameter: string): void {
    checkElements(statistic, "nonFinite", { kind: "non-finite value", node: "BatchNorm", parameter });
    const step = apply("sub", apply("mul", operand(1), constant(factor)), operand(0));
    const next = apply("add", operand(0), apply("mul", step, constant(this.#momentum)));
    running.update(next, [statistic.reshape(running.shape)]);
  }

  #byHistory(x: Variable): Variable {
    const shape = [this.gain.shape[0] as number, ...x.shape.slice(2).map(() => 1)];
    // Copies: a later training pass moves the cells, and gradients of this one still need their values.
    const [mean, variance] = [this.runningMean, this.runningVariance].map((cell) => cell.current.copy().reshape(shape));
    return x.map((u, m, v) => u.sub(m).div(v.add(this.epsilon).sqrt()), mean as Tensor, variance as Tensor);
  }
}
