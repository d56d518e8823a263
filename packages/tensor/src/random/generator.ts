import { codedError } from "../errors.js";
import { checkShape, sizeOf } from "../shape.js";
import { keyOf, randomWords, threefry } from "./threefry.js";

/** Host numbers with a shape. */
export interface HostArray {
  readonly values: Float64Array;
  readonly shape: readonly number[];
}

/** A counter-based generator on the host. Draw number k of seed s is the same on every device. */
export interface Generator {
  /** Numbers in [low, high); where high − low is small beside them, rounding can reach `high`. */
  uniform(shape: readonly number[], options?: { readonly low?: number; readonly high?: number }): HostArray;
  /** Normal numbers. */
  normal(
    shape: readonly number[],
    options?: { readonly mean?: number; readonly standardDeviation?: number },
  ): HostArray;
  /** 0 … n − 1 in random order. */
  permutation(n: number): Int32Array;
  /** Words of 32 random bits. */
  bits(n: number): Uint32Array;
  /** A generator that is independent of this one and of further splits. */
  split(): Generator;
}

export function checkSeed(subject: string, seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw codedError("BAD_ARGUMENT", `${subject}: expected seed to be a whole number in [0, 2^53), found ${seed}`);
  }
}

export function checkInterval(low: number, high: number): void {
  if (!(Number.isFinite(low) && Number.isFinite(high) && low <= high)) {
    throw codedError("BAD_ARGUMENT", `uniform: expected finite low ≤ high, found ${low} and ${high}`);
  }
}

export function checkNormal(mean: number, standardDeviation: number): void {
  if (!(Number.isFinite(mean) && Number.isFinite(standardDeviation) && standardDeviation >= 0)) {
    throw codedError(
      "BAD_ARGUMENT",
      `normal: expected a finite mean and standardDeviation ≥ 0, found ${mean} and ${standardDeviation}`,
    );
  }
}

/** The key of the `counter`-th split of `key`, made of a block that draws never reach. */
export function splitKey(key: readonly [number, number], counter: number): readonly [number, number] {
  const block = new Uint32Array(2);
  threefry(key[0], key[1], counter, 0xffffffff, block);
  return [block[0] as number, block[1] as number];
}

/** 53 random bits as a number in [0, 1), from the two words of a block. */
const unit = (high: number, low: number) => ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;

/**
 * A seeded generator on the host.
 *
 * @param seed  A whole number in [0, 2⁵³).
 * @returns     Draws that depend on the seed and on their order alone; `device.rng(seed)` draws the same bits.
 * @throws      BAD_ARGUMENT for another seed.
 * @see         J. Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3 (Threefry-2x32-20).
 * @example     generator(0).permutation(5)
 */
export function generator(seed: number): Generator {
  checkSeed("generator", seed);
  return hostGenerator(keyOf(seed));
}

function hostGenerator(key: readonly [number, number]): Generator {
  let counter = 0;
  let splits = 0;
  const draw = (lane: number, n: number) => {
    const words = new Uint32Array(n);
    randomWords(key, counter, lane, 0, words);
    return words;
  };
  const pairs = (shape: readonly number[], f: (first: number, second: number) => number): HostArray => {
    checkShape("generator", shape);
    const size = sizeOf(shape);
    const first = draw(0, size);
    const second = draw(1, size);
    counter++;
    return { values: Float64Array.from(first, (word, i) => f(word, second[i] as number)), shape: [...shape] };
  };
  return {
    uniform(shape, { low = 0, high = 1 } = {}) {
      checkInterval(low, high);
      return pairs(shape, (a, b) => low + (high - low) * unit(a, b));
    },
    normal(shape, { mean = 0, standardDeviation = 1 } = {}) {
      checkNormal(mean, standardDeviation);
      return pairs(shape, (a, b) => {
        const radius = Math.sqrt(-2 * Math.log((a + 1) * 2 ** -32));
        return mean + standardDeviation * (radius * Math.cos(2 * Math.PI * b * 2 ** -32));
      });
    },
    permutation(n) {
      checkShape("permutation", [n]);
      const words = draw(0, n);
      counter++;
      const places = Int32Array.from({ length: n }, (_, i) => i);
      return places.sort((i, j) => (words[i] as number) - (words[j] as number) || i - j);
    },
    bits(n) {
      checkShape("bits", [n]);
      const words = draw(0, n);
      counter++;
      return words;
    },
    split: () => hostGenerator(splitKey(key, splits++)),
  };
}
