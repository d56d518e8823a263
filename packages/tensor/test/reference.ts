import type { DType, Nested, TypedArray } from "@robgrad/tensor";

// What tensors should do, in plain loops that share no code with them.

/** Row-major numbers with a shape. */
export interface HostArray {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

const count = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);

/** Every index of a shape, in row-major order. */
export function indicesOf(shape: readonly number[]): number[][] {
  let all: number[][] = [[]];
  for (const extent of shape) {
    all = all.flatMap((head) => Array.from({ length: extent }, (_, i) => [...head, i]));
  }
  return all;
}

export function hostArray(shape: readonly number[], f: (index: readonly number[]) => number): HostArray {
  return { shape, values: indicesOf(shape).map(f) };
}

/** The element at an index, repeated over missing leading axes and axes of extent 1. */
export function elementAt({ shape, values }: HostArray, index: readonly number[]): number {
  const own = index.slice(index.length - shape.length);
  let place = 0;
  shape.forEach((extent, axis) => (place = place * extent + (extent === 1 ? 0 : own[axis]!)));
  return values[place]!;
}

export function broadcastShape(...shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const extents = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return extents.find((extent) => extent !== 1) ?? 1;
  });
}

export function zipWith(f: (...elements: number[]) => number, ...arrays: HostArray[]): HostArray {
  return hostArray(broadcastShape(...arrays.map(({ shape }) => shape)), (index) =>
    f(...arrays.map((array) => elementAt(array, index))),
  );
}

/** f of the elements along some axes, in row-major order. */
export function alongAxes(
  f: (elements: number[]) => number,
  array: HostArray,
  axes: readonly number[],
  keepdims = false,
): HostArray {
  const kept = array.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  const inner = indicesOf(array.shape.map((extent, axis) => (axes.includes(axis) ? extent : 1)));
  const full = hostArray(kept, (index) =>
    f(
      inner.map((offset) =>
        elementAt(
          array,
          index.map((i, axis) => i + offset[axis]!),
        ),
      ),
    ),
  );
  return keepdims ? full : { ...full, shape: array.shape.filter((_, axis) => !axes.includes(axis)) };
}

export function nested({ shape, values }: HostArray): Nested {
  const [extent, ...rest] = shape;
  if (extent === undefined) return values[0]!;
  const size = count(rest);
  return Array.from({ length: extent }, (_, i) =>
    nested({ shape: rest, values: values.slice(i * size, (i + 1) * size) }),
  );
}

const stores: Record<DType, (length: number) => TypedArray> = {
  float32: (length) => new Float32Array(length),
  float64: (length) => new Float64Array(length),
  int32: (length) => new Int32Array(length),
  uint32: (length) => new Uint32Array(length),
  bool: (length) => new Uint8Array(length),
};

/** A number as an element of a dtype holds it. */
export function stored(dtype: DType, value: number): number {
  const cell = stores[dtype](1);
  cell[0] = value;
  return cell[0];
}

export function storedArray(dtype: DType, { shape, values }: HostArray): HostArray {
  return { shape, values: values.map((value) => stored(dtype, value)) };
}
