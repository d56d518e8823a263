import * as fc from "fast-check";
import type { Device } from "../device/device.js";
import type { DType } from "../dtype.js";
import { sizeOf } from "../shape.js";
import type { Nested, Tensor } from "../tensor.js";

/** Shapes with few axes and few elements, empty ones and single elements among them. */
export function shapes({ maxRank = 4, maxExtent = 4, minRank = 0 } = {}): fc.Arbitrary<number[]> {
  const extent = fc.oneof(
    { weight: 1, arbitrary: fc.constant(0) },
    { weight: 12, arbitrary: fc.integer({ min: 1, max: maxExtent }) },
  );
  return fc.array(extent, { minLength: minRank, maxLength: maxRank });
}

/** Two shapes that broadcast together, and the shape they broadcast to. */
export function broadcastPairs(
  options: Parameters<typeof shapes>[0] = {},
): fc.Arbitrary<{ a: number[]; b: number[]; shape: number[] }> {
  return shapes(options).chain((shape) => {
    // Each axis is whole in both or 1 in one of them; leading axes may be missing from one.
    const choices = fc.tuple(...shape.map(() => fc.constantFrom("both", "both", "a", "b")));
    return fc.tuple(choices, fc.constantFrom("a", "b"), fc.nat(shape.length)).map(([owners, shorter, missing]) => {
      const part = (self: "a" | "b") => {
        const full = shape.map((extent, axis) => (owners[axis] === "both" || owners[axis] === self ? extent : 1));
        return self === shorter ? full.slice(missing) : full;
      };
      const a = part("a");
      const b = part("b");
      const extent = (s: readonly number[], axis: number) => s[axis - shape.length + s.length] ?? 1;
      return { a, b, shape: shape.map((_, axis) => (extent(a, axis) === 1 ? extent(b, axis) : extent(a, axis))) };
    });
  });
}

/** An n-d array on the host, and how to lay it out on a device with gaps, exchanged axes and repeated ones. */
export interface StridedArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: readonly number[];
  readonly nested: Nested;
  /** A view with these elements. Memory around and between them holds other numbers. */
  readonly on: (device: Device, dtype: DType) => Tensor;
}

function nest(values: readonly number[], shape: readonly number[]): Nested {
  const [extent, ...rest] = shape;
  if (extent === undefined) return values[0] as number;
  const size = sizeOf(rest);
  return Array.from({ length: extent }, (_, i) => nest(values.slice(i * size, (i + 1) * size), rest));
}

/** Arrays whose tensors are slices of permuted, broadcast memory. */
export function stridedArrays(
  values: fc.Arbitrary<number> = fc.integer({ min: -9, max: 9 }),
  shape: fc.Arbitrary<number[]> = shapes(),
): fc.Arbitrary<StridedArray> {
  return shape.chain((extents) => {
    const rank = extents.length;
    const axes = extents.map((_, axis) => axis);
    return fc
      .record({
        drawn: fc.array(values, { minLength: sizeOf(extents), maxLength: sizeOf(extents) }),
        order: fc.shuffledSubarray(axes, { minLength: rank, maxLength: rank }),
        margins: fc.array(fc.tuple(fc.nat(2), fc.nat(1)), { minLength: rank, maxLength: rank }),
        repeated: fc.array(
          fc.integer({ min: 0, max: 5 }).map((k) => k === 0),
          { minLength: rank, maxLength: rank },
        ),
        around: values,
      })
      .map(({ drawn, order, margins, repeated, around }) => layOut(extents, drawn, order, margins, repeated, around));
  });
}

function layOut(
  shape: readonly number[],
  drawn: readonly number[],
  order: readonly number[],
  margins: readonly (readonly [number, number])[],
  repeated: readonly boolean[],
  around: number,
): StridedArray {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const indexOf = (place: number) =>
    shape.map((extent, axis) => Math.floor(place / (strides[axis] as number)) % extent);
  const source = (index: readonly number[]) =>
    index.reduce((place, i, axis) => place + (repeated[axis] ? 0 : i) * (strides[axis] as number), 0);
  const values = drawn.map((_, place) => drawn[source(indexOf(place))] as number);

  // Memory holds the axes in `order`, each with a margin on both sides, the repeated ones once.
  const stored = shape.map((extent, axis) => (repeated[axis] ? Math.min(1, extent) : extent));
  const memory = order.map((axis) => stored[axis]! + margins[axis]![0] + margins[axis]![1]);
  const cells = Array.from({ length: sizeOf(memory) }, (_, place) => {
    const at = memory.map((extent, k) => Math.floor(place / sizeOf(memory.slice(k + 1))) % extent);
    const index = new Array<number>(shape.length);
    order.forEach((axis, k) => (index[axis] = at[k]! - margins[axis]![0]));
    const inside = index.every((i, axis) => i >= 0 && i < stored[axis]!);
    return inside ? (drawn[source(index)] as number) : around;
  });
  return {
    shape,
    values,
    nested: nest(values, shape),
    on: (device, dtype) =>
      device
        .tensor(cells, { shape: memory, dtype, allowNonFinite: true })
        .slice(...order.map((axis) => [margins[axis]![0], margins[axis]![0] + stored[axis]!] as const))
        .permute(shape.map((_, axis) => order.indexOf(axis)))
        .broadcastTo(shape),
  };
}
