import { digits } from "@robgrad/datasets/digits";
import { generator } from "@robgrad/tensor";
import type { Layer, ProductWork, SequenceData, SequenceWork, TrainingData } from "./work.js";

export const normal = (seed: number, length: number): Float64Array =>
  generator(seed).normal([length], { mean: 0, standardDeviation: 1 }).values;

export const uniform = (seed: number, length: number): Float64Array => generator(seed).uniform([length]).values;

/** Normal weights of variance 1/P, and biases that are not quite 0. */
function layersOf(widths: readonly number[], seed: number): Layer[] {
  return widths.slice(1).map((outputs, k) => {
    const inputs = widths[k] as number;
    return {
      W: normal(seed + 2 * k, outputs * inputs).map((w) => w / Math.sqrt(inputs)),
      b: normal(seed + 2 * k + 1, outputs).map((b) => 0.1 * b),
    };
  });
}

/** Values that float32 holds, so that every precision starts from the same numbers. */
const rounded = (values: Float64Array): Float64Array => Float64Array.from(values, Math.fround);

function asFloat32({ x, labels, layers }: TrainingData): TrainingData {
  return { x: rounded(x), labels, layers: layers.map(({ W, b }) => ({ W: rounded(W), b: rounded(b) })) };
}

/** Noise with labels at random. */
export function noise(
  draw: (seed: number, length: number) => Float64Array,
  samples: number,
  widths: readonly number[],
): TrainingData {
  const classes = widths.at(-1) as number;
  return asFloat32({
    x: draw(1, samples * (widths[0] as number)),
    labels: Int32Array.from(uniform(2, samples), (u) => Math.floor(u * classes)),
    layers: layersOf(widths, 3),
  });
}

/** Images of noise with labels at random, and the layers of a convolutional network: W [Q, C, kernel, kernel], then [Q, P]. */
export function noiseImages(
  samples: number,
  side: number,
  channels: readonly [number, number, number],
  kernel: number,
  classes: number,
): TrainingData {
  const last = ((side - kernel + 1) / 2 - kernel + 1) / 2;
  const convolution = (k: 0 | 1) => layersOf([channels[k] * kernel ** 2, channels[k + 1] as number], 3 + 2 * k);
  return asFloat32({
    x: uniform(1, samples * channels[0] * side ** 2),
    labels: Int32Array.from(uniform(2, samples), (u) => Math.floor(u * classes)),
    layers: [...convolution(0), ...convolution(1), ...layersOf([channels[2] * last ** 2, classes], 7)],
  });
}

/** Classes of points around centres on a circle: what a small network can learn. */
export function clusters(samples: number, widths: readonly number[]): TrainingData {
  const classes = widths.at(-1) as number;
  const inputs = widths[0] as number;
  const spread = normal(1, samples * inputs);
  const labels = Int32Array.from({ length: samples }, (_, n) => n % classes);
  const x = spread.map((z, i) => {
    const angle = (2 * Math.PI * (labels[Math.floor(i / inputs)] as number)) / classes - (i % inputs) * (Math.PI / 2);
    return 0.5 + 0.3 * Math.cos(angle) + 0.1 * z;
  });
  return asFloat32({ x, labels, layers: layersOf(widths, 3) });
}

const side = 8;
const scale = 3;
const border = 2;
const enlargedSide = side * scale + 2 * border;

/** Handwritten digits of 8 × 8 pixels on 28 × 28: every pixel a square of 3 × 3, two rows of zeros around; in [0, 1]. */
export function enlargedDigits(samples: number, widths: readonly number[]): TrainingData {
  const { features, labels } = digits();
  const x = new Float64Array(samples * enlargedSide ** 2);
  for (let n = 0; n < samples; n++) {
    for (let row = 0; row < side * scale; row++) {
      for (let column = 0; column < side * scale; column++) {
        const pixel = Math.floor(row / scale) * side + Math.floor(column / scale);
        x[(n * enlargedSide + row + border) * enlargedSide + column + border] =
          (features.values[n * side * side + pixel] as number) / 16;
      }
    }
  }
  return asFloat32({ x, labels: Int32Array.from(labels.values.subarray(0, samples)), layers: layersOf(widths, 3) });
}

/** Numbers from −4 to 4 without order. */
export function chainInput(length: number): Float32Array {
  const x = new Float32Array(length);
  for (let i = 0; i < length; i++) x[i] = ((i * 0.6180339887498949) % 1) * 8 - 4;
  return x;
}

/** The factors of a product, as stored. */
export function factors({ rows, inner, columns }: ProductWork): readonly [a: Float32Array, b: Float32Array] {
  return [Float32Array.from(normal(1, rows * inner)), Float32Array.from(normal(2, inner * columns))];
}

/** Normal sequences, and weights of variance 1/D and 1/H. */
export function sequences({ steps, batch, inputs, hidden }: SequenceWork): SequenceData {
  const weights = (seed: number, rows: number) =>
    normal(seed, rows * 4 * hidden).map((w) => Math.fround(w / Math.sqrt(rows)));
  return {
    x: rounded(normal(1, batch * steps * inputs)),
    U: weights(2, inputs),
    W: weights(3, hidden),
    b: normal(4, 4 * hidden).map((b) => Math.fround(0.1 * b)),
  };
}
