import { codedError } from "../errors.js";
import type { Cell } from "../cell.js";
import type { Device } from "../device/device.js";
import { disposable } from "../disposable.js";
import { isFloating, type DType } from "../dtype.js";
import { empty, tensor } from "../ops/creation.js";
import { withoutTemporaries } from "../scope.js";
import { checkShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { checkInterval, checkNormal, checkSeed, splitKey } from "./generator.js";
import { keyOf } from "./threefry.js";

/** The interval [low, high) of uniform numbers, [0, 1) unless given, and their dtype, float32 unless given. */
export interface UniformOptions {
  readonly low?: number;
  readonly high?: number;
  readonly dtype?: DType;
}

/** Mean, 0 unless given, and standard deviation, 1 unless given, of normal numbers, and their dtype, float32 unless given. */
export interface NormalOptions {
  readonly mean?: number;
  readonly standardDeviation?: number;
  readonly dtype?: DType;
}

/**
 * A random generator on a device, made by `device.rng(seed)`. Draw number k has the bits of draw number k of
 * `generator(seed)`; the number of draws is a cell, so replayed steps move on.
 */
export class DeviceRandom {
  readonly device: Device;
  readonly #key: readonly [number, number];
  /** @internal Which generator it is, uint32 [2]. */
  readonly keyCell: Cell;
  /** @internal The number of draws, uint32 [1]. */
  readonly counter: Cell;
  #splits = 0;

  private constructor(device: Device, key: readonly [number, number]) {
    this.device = device;
    this.#key = key;
    const words = tensor(device, new Uint32Array(key));
    const zero = tensor(device, new Uint32Array([0]));
    this.keyCell = device.cell(words);
    this.counter = device.cell(zero);
    words.dispose();
    zero.dispose();
  }

  /** @internal */
  static seeded(device: Device, seed: number): DeviceRandom {
    checkSeed("rng", seed);
    return new DeviceRandom(device, keyOf(seed));
  }

  /**
   * Numbers in [low, high), 24 random bits each in float32, 53 in float64. Where high − low is small beside them,
   * rounding can reach `high`.
   *
   * @param options  `low` 0, `high` 1 and `dtype` float32 unless given.
   * @throws         BAD_ARGUMENT unless low ≤ high are finite, DTYPE_MISMATCH for integers.
   * @example        device.rng(0).uniform([2, 3], { low: -1 })
   */
  uniform(shape: readonly number[], { low = 0, high = 1, dtype = "float32" }: UniformOptions = {}): Tensor {
    this.#checkFloating("uniform", dtype);
    checkInterval(low, high);
    return this.#draw(() => {
      if (dtype === "float32") {
        return this.#words(shape, 0, 8)
          .cast(dtype)
          .map((word) =>
            word
              .mul(2 ** -24)
              .mul(high - low)
              .add(low),
          );
      }
      const upper = this.#words(shape, 0, 5).cast(dtype);
      const lower = this.#words(shape, 1, 6).cast(dtype);
      return upper.map(
        (a, b) =>
          a
            .mul(2 ** 26)
            .add(b)
            .mul(2 ** -53)
            .mul(high - low)
            .add(low),
        lower,
      );
    });
  }

  /**
   * Normal numbers by Box and Muller.
   *
   * @param options  `mean` 0, `standardDeviation` 1 and `dtype` float32 unless given.
   * @throws         BAD_ARGUMENT unless they are finite and the deviation ≥ 0, DTYPE_MISMATCH for integers.
   * @example        device.rng(0).normal([2, 3])
   */
  normal(shape: readonly number[], { mean = 0, standardDeviation = 1, dtype = "float32" }: NormalOptions = {}): Tensor {
    this.#checkFloating("normal", dtype);
    checkNormal(mean, standardDeviation);
    return this.#draw(() => {
      const first = this.#words(shape, 0, 0).cast(dtype);
      const second = this.#words(shape, 1, 0).cast(dtype);
      return first.map((a, b) => {
        // The largest words round up to 2³² in float32, and the logarithm must not exceed 0.
        const unit = a
          .add(1)
          .mul(2 ** -32)
          .minimum(1);
        const radius = unit.log().mul(-2).sqrt();
        return radius
          .mul(b.mul(2 * Math.PI * 2 ** -32).cos())
          .mul(standardDeviation)
          .add(mean);
      }, second);
    });
  }

  /**
   * 0 … n − 1 in random order.
   *
   * @returns  int32 [n].
   * @example  device.rng(0).permutation(150)
   */
  permutation(n: number): Tensor {
    return this.#draw(() => this.#words([n], 0, 0).argsort());
  }

  /**
   * Words of 32 random bits.
   *
   * @returns  uint32 of the shape.
   * @example  device.rng(0).bits([4])
   */
  bits(shape: readonly number[]): Tensor {
    return this.#draw(() => this.#words(shape, 0, 0));
  }

  /**
   * A generator that is independent of this one, of its draws and of further splits.
   *
   * @example  const rng = device.rng(0); const initial = rng.split();
   */
  split(): DeviceRandom {
    return new DeviceRandom(this.device, splitKey(this.#key, this.#splits++));
  }

  /**
   * Returns the memory of its cells; later use throws DISPOSED.
   *
   * @example  const rng = device.rng(0); rng.dispose();
   */
  dispose(): void {
    this.keyCell.dispose();
    this.counter.dispose();
  }

  static {
    disposable(this);
  }

  #checkFloating(subject: string, dtype: DType): void {
    if (!isFloating(dtype)) throw codedError("DTYPE_MISMATCH", `${subject}: expected a floating dtype, found ${dtype}`);
  }

  #words(shape: readonly number[], lane: number, shift: number): Tensor {
    checkShape("rng", shape);
    const out = empty(this.device, "uint32", [...shape]);
    this.device.run({
      form: "routine",
      name: "randomBits",
      inputs: [this.keyCell.current, this.counter.current],
      outputs: [out],
      attributes: { lane, shift },
    });
    return out;
  }

  /** One draw: whatever it takes of the words, the next one has others. */
  #draw(work: () => Tensor): Tensor {
    return withoutTemporaries(this.device, () => {
      const result = work();
      this.counter.assign(this.counter.current.add(1));
      return result;
    });
  }
}

export interface DeviceRandom extends Disposable {}
