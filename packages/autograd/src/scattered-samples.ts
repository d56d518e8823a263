import type { CarriedSamples, SampleAxis } from "./sample-axis.js";

/** Samples that follow no axis: the sample of every element in row-major order, −1 where there is none. */
export interface ScatteredSamples {
  readonly kind: "scattered";
  readonly samples: Int32Array;
}

/** Elements to skip per step along each axis of a row-major array; 0 along axes that are repeated to fill `shape`. */
function stridesWithin(own: readonly number[], shape: readonly number[]): number[] {
  const lead = shape.length - own.length;
  let stride = 1;
  const strides = new Array<number>(shape.length).fill(0);
  for (let axis = own.length - 1; axis >= 0; axis--) {
    const extent = own[axis] as number;
    if (extent !== 1) strides[axis + lead] = stride;
    stride *= extent;
  }
  return strides;
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** For every element of `shape` in row-major order, where it lies by `strides`. */
function places(shape: readonly number[], strides: readonly number[]): Int32Array {
  const found = new Int32Array(sizeOf(shape));
  for (let i = 0; i < found.length; i++) {
    let place = 0;
    for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
      const extent = shape[axis] as number;
      place += (rest % extent) * (strides[axis] as number);
      rest = Math.floor(rest / extent);
    }
    found[i] = place;
  }
  return found;
}

/** An axis whose labels everything else repeats, if there is one; `labelled` says what that is called. */
export function settle(
  samples: Int32Array,
  shape: readonly number[],
  labelled: (axis: number, labels: Int32Array) => CarriedSamples,
): SampleAxis {
  if (samples.every((n) => n === -1)) return { kind: "none" };
  for (let axis = 0; axis < shape.length; axis++) {
    const below = sizeOf(shape.slice(axis + 1));
    const extent = shape[axis] as number;
    const labels = Int32Array.from({ length: extent }, (_, i) => samples[i * below] as number);
    if (samples.every((n, i) => n === labels[Math.floor(i / below) % extent])) return labelled(axis, labels);
  }
  return { kind: "scattered", samples };
}

/** The labels of a value whose samples lie along one axis. */
export function scatter(axis: number, labels: Int32Array, shape: readonly number[]): Int32Array {
  const below = sizeOf(shape.slice(axis + 1));
  return Int32Array.from({ length: sizeOf(shape) }, (_, i) => labels[Math.floor(i / below) % labels.length] as number);
}

export function permuteScattered(
  { samples }: ScatteredSamples,
  shape: readonly number[],
  order: readonly number[],
): Int32Array {
  const strides = stridesWithin(shape, shape);
  const picked = places(
    order.map((axis) => shape[axis] as number),
    order.map((axis) => strides[axis] as number),
  );
  return Int32Array.from(picked, (place) => samples[place] as number);
}

/** Labels of operands that meet element by element; undefined where one element would depend on two samples. */
export function meetScattered(
  operands: readonly { readonly labels: Int32Array; readonly shape: readonly number[] }[],
  shape: readonly number[],
): Int32Array | undefined {
  const met = new Int32Array(sizeOf(shape)).fill(-1);
  for (const operand of operands) {
    const picked = places(shape, stridesWithin(operand.shape, shape));
    for (let i = 0; i < met.length; i++) {
      const n = operand.labels[picked[i] as number] as number;
      if (n === -1) continue;
      if (met[i] !== -1 && met[i] !== n) return undefined;
      met[i] = n;
    }
  }
  return met;
}

/** Labels after a reduction; the first axis of those that join two samples where it cannot be. */
export function reduceScattered(
  { samples }: ScatteredSamples,
  shape: readonly number[],
  axes: readonly number[],
): { readonly labels: Int32Array } | { readonly mixed: number } {
  const kept = shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  const target = places(shape, stridesWithin(kept, shape));
  const labels = new Int32Array(sizeOf(kept)).fill(-1);
  for (let i = 0; i < samples.length; i++) {
    const n = samples[i] as number;
    const place = target[i] as number;
    if (n === -1 || labels[place] === n) continue;
    if (labels[place] !== -1) return { mixed: axes[0] as number };
    labels[place] = n;
  }
  return { labels };
}
