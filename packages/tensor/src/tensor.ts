import { codedError } from "./errors.js";
import type { Device } from "./device/device.js";
import { disposable } from "./disposable.js";
import type { DType, TypedArray } from "./dtype.js";
import type { View } from "./kernel/kernel.js";
import { isRowMajor, type Layout, type SliceRange } from "./layout.js";
import { castTo, contiguous } from "./ops/creation.js";
import { elementwise, mapTensor } from "./ops/elementwise.js";
import { gather, takeAlongAxis } from "./ops/indexing.js";
import { matmul } from "./ops/linear-algebra.js";
import { broadcastTo, permute, reshape, slice, transpose } from "./ops/manipulation.js";
import { reduce, type AxisOptions } from "./ops/reduction.js";
import { argsort, cumsum, sort, topk } from "./ops/sorting.js";
import { median, variance, type VarianceOptions } from "./ops/statistics.js";
import { elementwiseMethods, type ElementwiseMethods } from "./scalar/elementwise.js";
import type { ScalarFunction } from "./scalar/scalar.js";
import { formatShape, sizeOf } from "./shape.js";
import type { Storage } from "./storage.js";

// Engines and compiler settings that know `using` have these; the declarations agree with theirs.
declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol;
  }
  interface Disposable {
    [Symbol.dispose](): void;
  }
}

const brand: unique symbol = Symbol.for("robgrad.tensor");

/** Nested host arrays, as deep as the tensor has axes; a number for rank 0. */
export type Nested = number | Nested[];

/**
 * An n-d array on a device. Immutable: operations make new tensors; `reshape`, `transpose`, `slice` and `broadcastTo`
 * share memory. Shapes are checked at the call, work is queued, and only `data`, `toArray`, `item` and `read` wait.
 */
export class Tensor implements View {
  readonly device: Device;
  readonly storage: Storage;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Elements to skip per step along each axis. */
  readonly strides: readonly number[];
  readonly offset: number;
  #disposed = false;

  /** @internal Tensors come from devices and operations. */
  constructor(device: Device, storage: Storage, dtype: DType, layout: Layout, scoped = true) {
    this.device = device;
    this.storage = storage;
    this.dtype = dtype;
    this.shape = layout.shape;
    this.strides = layout.strides;
    this.offset = layout.offset;
    storage.handles++;
    if (scoped) device.adopt(this);
  }

  /** @internal A tensor that no `tidy` disposes. */
  static unscoped(device: Device, storage: Storage, dtype: DType, layout: Layout): Tensor {
    return new Tensor(device, storage, dtype, layout, false);
  }

  /** True for a tensor of any copy of this package. */
  static is(value: unknown): value is Tensor {
    return typeof value === "object" && value !== null && brand in value;
  }

  get [brand](): true {
    return true;
  }

  /** How many elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** @internal This tensor, or DISPOSED naming the operation that wanted it. */
  live(subject: string): this {
    if (this.#disposed) {
      throw codedError(
        "DISPOSED",
        `${subject}: expected a live tensor, found ${this.dtype} ${formatShape(this.shape)} that was disposed; return it from tidy() or copy() it to keep it`,
      );
    }
    return this;
  }

  /**
   * Ends this tensor; its memory returns once no other tensor views it. Later use throws DISPOSED.
   *
   * @example  const x = device.ones([2]); x.dispose();
   */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (--this.storage.handles === 0) this.device.release(this.storage);
  }

  /**
   * A snapshot of the elements in row-major order, taken at the call.
   *
   * @returns  A typed array of the dtype; bool is a Uint8Array of 0 and 1.
   * @throws   Rejects with BAD_DATA when a kernel has found a fault, with DISPOSED after `dispose`.
   * @example  await device.tensor([[1, 2], [3, 4]]).transpose().data()
   */
  async data(): Promise<TypedArray> {
    const dense = contiguous(this.live("data"));
    const elements = this.device.read(dense, this.size);
    if (dense !== this) dense.dispose();
    return elements;
  }

  /**
   * A snapshot as nested arrays; a number for rank 0.
   *
   * @throws   Rejects as `data` does.
   * @example  await device.eye(2).toArray()
   */
  async toArray(): Promise<Nested> {
    const { shape } = this;
    return nest(await this.data(), shape);
  }

  /**
   * The only element, as a number.
   *
   * @throws   Rejects with SHAPE_MISMATCH unless there is exactly one, else as `data` does.
   * @example  await device.tensor([1, 2, 3]).sum().item()
   */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw codedError(
        "SHAPE_MISMATCH",
        `item: expected a tensor of one element, found shape ${formatShape(this.shape)}`,
      );
    }
    return (await this.data())[0] as number;
  }

  /**
   * The same elements in memory of their own.
   *
   * @example  device.ones([2]).broadcastTo([3, 2]).copy()
   */
  copy(): Tensor {
    return castTo(this.live("copy"), this.dtype, true);
  }

  /**
   * Elements as another dtype. Floats become integers by truncation, clipped to their range, NaN becoming 0; int32 and
   * uint32 keep their bits; bool is what is not 0. Shares memory where nothing changes.
   *
   * @example  device.tensor([-1.5, 2.7]).cast("int32")
   */
  cast(dtype: DType): Tensor {
    return castTo(this.live("cast"), dtype, false);
  }

  /**
   * f of every element and of further operands that broadcast, in one kernel. A test gives a bool tensor.
   *
   * @param f     Called once, with traced scalars; see {@link ScalarFunction}.
   * @param rest  Tensors of this dtype or bool, and numbers.
   * @throws      BAD_ARGUMENT for what is no formula of the scalars, SHAPE_MISMATCH, DTYPE_MISMATCH.
   * @example     device.tensor([-2, 0.5]).map((u, v) => u.tanh().mul(v), device.tensor([1, 2]))
   */
  map(f: ScalarFunction, ...rest: readonly (Tensor | number)[]): Tensor {
    return mapTensor("map", f, [this, ...rest]);
  }

  /**
   * The same elements in row-major order under another shape. Shares memory where strides allow.
   *
   * @param shape  As many elements; one extent may be −1 and is what is left over.
   * @throws       SHAPE_MISMATCH for another number of elements.
   * @example      device.arange(6).reshape([2, -1])
   */
  reshape(shape: readonly number[]): Tensor {
    return reshape(this, shape);
  }

  /**
   * Repeats axes of extent 1 and missing leading ones, without copying.
   *
   * @throws   SHAPE_MISMATCH where the shape does not broadcast to that.
   * @example  device.tensor([1, 2]).broadcastTo([3, 2])
   */
  broadcastTo(shape: readonly number[]): Tensor {
    return broadcastTo(this, shape);
  }

  /**
   * Axes in another order, without copying; reversed unless an order is given.
   *
   * @throws   BAD_ARGUMENT unless every axis is there once.
   * @example  device.zeros([2, 3, 4]).permute([2, 0, 1])
   */
  permute(order?: readonly number[]): Tensor {
    return permute(this, order);
  }

  /**
   * The last two axes exchanged, without copying.
   *
   * @throws   SHAPE_MISMATCH for fewer than two axes.
   * @example  device.zeros([2, 3]).transpose()
   */
  transpose(): Tensor {
    return transpose(this);
  }

  /**
   * Part of the leading axes, without copying.
   *
   * @param ranges  `[start, stop]` per axis, stop left out; negative counts from the end, a missing stop means to the
   *                end, null the whole axis. Bounds are clipped as in NumPy.
   * @throws        BAD_ARGUMENT for more ranges than axes.
   * @example       device.arange(12).reshape([3, 4]).slice([1], [0, -1])
   */
  slice(...ranges: readonly SliceRange[]): Tensor {
    return slice(this, ranges);
  }

  /**
   * Slices of an axis chosen by indices.
   *
   * @param indices  int32 or uint32, any shape.
   * @param options  `axis`, 0 unless given, negative from the end.
   * @returns        shape[:axis] + indices.shape + shape[axis + 1:].
   * @throws         DTYPE_MISMATCH; the next read rejects with BAD_DATA for an index out of range.
   * @example        device.eye(3).gather(device.tensor([2, 0], { dtype: "int32" }))
   */
  gather(indices: Tensor, options?: { readonly axis?: number }): Tensor {
    return gather(this, indices, options);
  }

  /**
   * Elements chosen one by one along an axis.
   *
   * @param indices  int32 or uint32, of this shape but for that axis.
   * @throws         SHAPE_MISMATCH, DTYPE_MISMATCH; the next read rejects with BAD_DATA for an index out of range.
   * @example        device.eye(2).takeAlongAxis(device.tensor([[1], [1]], { dtype: "int32" }), { axis: 1 })
   */
  takeAlongAxis(indices: Tensor, options: { readonly axis: number }): Tensor {
    return takeAlongAxis(this, indices, options);
  }

  /**
   * Matrix product of the last two axes, batched over the broadcast of the others. A vector is a row on the left and a
   * column on the right; the result does not have that axis.
   *
   *   C[…, m, n] = Σₖ A[…, m, k] · B[…, k, n]
   *
   * @throws   SHAPE_MISMATCH unless the contracted extents agree, DTYPE_MISMATCH for two dtypes or integers.
   * @example  device.eye(2).matmul(device.ones([2, 3]))
   */
  matmul(other: Tensor): Tensor {
    return matmul(this, other);
  }

  /**
   * Σ over axes, all of them unless given; 0 over none. Integers wrap.
   *
   * @throws   BAD_ARGUMENT for an axis out of range or given twice, DTYPE_MISMATCH for bool.
   * @example  device.ones([2, 3]).sum({ axis: 1, keepdims: true })
   */
  sum(options?: AxisOptions): Tensor {
    return reduce("sum", this, options);
  }

  /**
   * The mean over axes, all of them unless given.
   *
   * @throws   SHAPE_MISMATCH over no elements, BAD_ARGUMENT for an axis, DTYPE_MISMATCH unless floating.
   * @example  device.ones([2, 3]).mean({ axis: 0 })
   */
  mean(options?: AxisOptions): Tensor {
    return reduce("mean", this, options);
  }

  /**
   * The largest element over axes, all of them unless given; NaN if any is.
   *
   * @throws   SHAPE_MISMATCH over no elements, BAD_ARGUMENT for an axis.
   * @example  device.tensor([[1, 5], [3, 2]]).max({ axis: 1 })
   */
  max(options?: AxisOptions): Tensor {
    return reduce("max", this, options);
  }

  /**
   * The smallest element over axes, all of them unless given; NaN if any is.
   *
   * @throws   SHAPE_MISMATCH over no elements, BAD_ARGUMENT for an axis.
   * @example  device.tensor([[1, 5], [3, 2]]).min({ axis: 1 })
   */
  min(options?: AxisOptions): Tensor {
    return reduce("min", this, options);
  }

  /**
   * ∏ over axes, all of them unless given; 1 over none. Integers wrap.
   *
   * @throws   BAD_ARGUMENT for an axis, DTYPE_MISMATCH for bool.
   * @example  device.tensor([2, 3, 4]).product()
   */
  product(options?: AxisOptions): Tensor {
    return reduce("product", this, options);
  }

  /**
   * Index of the largest element along an axis, the lowest on a tie; a NaN counts as largest.
   *
   * @param options  `axis`; without it the index into all elements in row-major order.
   * @returns        int32.
   * @throws         SHAPE_MISMATCH over no elements, BAD_ARGUMENT for an axis, DTYPE_MISMATCH for bool.
   * @example        device.tensor([[1, 5], [3, 2]]).argmax({ axis: 1 })
   */
  argmax(options?: { readonly axis?: number; readonly keepdims?: boolean }): Tensor {
    return reduce("argmax", this, options);
  }

  /**
   * Index of the smallest element along an axis, the lowest on a tie; a NaN counts as smallest.
   *
   * @param options  `axis`; without it the index into all elements in row-major order.
   * @returns        int32.
   * @throws         SHAPE_MISMATCH over no elements, BAD_ARGUMENT for an axis, DTYPE_MISMATCH for bool.
   * @example        device.tensor([[1, 5], [3, 2]]).argmin({ axis: 1 })
   */
  argmin(options?: { readonly axis?: number; readonly keepdims?: boolean }): Tensor {
    return reduce("argmin", this, options);
  }

  /**
   * Squared deviations from the mean, summed over axes and divided by n − correction.
   *
   *   Σ (x − x̄)² / (n − correction)
   *
   * @param options  `axis` and `keepdims` as in `sum`; `correction`, 0 unless given.
   * @throws         BAD_ARGUMENT unless n > correction, DTYPE_MISMATCH unless floating.
   * @example        device.tensor([1, 2, 3]).variance({ correction: 1 })
   */
  variance(options?: VarianceOptions): Tensor {
    return variance(this, options);
  }

  /**
   * Elements in ascending order along an axis, NaN last.
   *
   * @param options  `axis`, the last unless given.
   * @example        device.tensor([3, 1, 2]).sort()
   */
  sort(options?: { readonly axis?: number }): Tensor {
    return sort(this, options);
  }

  /**
   * Indices that sort along an axis; equal elements keep their order, NaN comes last.
   *
   * @param options  `axis`, the last unless given.
   * @returns        int32.
   * @example        device.tensor([3, 1, 2]).argsort()
   */
  argsort(options?: { readonly axis?: number }): Tensor {
    return argsort(this, options);
  }

  /**
   * The k largest elements along an axis in descending order, the lowest index first on a tie and NaN last.
   *
   * @param options  `axis`, the last unless given.
   * @returns        `values` and their `indices` (int32), with extent k along the axis.
   * @throws         BAD_ARGUMENT unless 1 ≤ k ≤ extent.
   * @example        device.tensor([3, 1, 2]).topk(2).values
   */
  topk(k: number, options?: { readonly axis?: number }): { readonly values: Tensor; readonly indices: Tensor } {
    return topk(this, k, options);
  }

  /**
   * The middle element along an axis, or the mean of the two middle ones; NaN if any is.
   *
   * @param options  `axis`; without it over all elements.
   * @throws         SHAPE_MISMATCH over no elements, DTYPE_MISMATCH unless floating.
   * @example        device.tensor([5, 1, 3]).median()
   */
  median(options?: { readonly axis?: number; readonly keepdims?: boolean }): Tensor {
    return median(this, options);
  }

  /**
   * Running sums along an axis. Integers wrap.
   *
   * @example  device.ones([2, 3]).cumsum({ axis: 1 })
   */
  cumsum(options: { readonly axis: number }): Tensor {
    return cumsum(this, options);
  }

  /** Device, dtype, shape, and which await to use. */
  toString(): string {
    const state = this.#disposed ? "disposed" : "read it with await t.toArray(), t.data() or t.item()";
    return `Tensor ${this.dtype} ${formatShape(this.shape)} on ${this.device.name} (${state})`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Text for string contexts; anything numeric throws, because the elements are on a device. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw codedError(
      "BAD_ARGUMENT",
      `Tensor: expected to be used through its methods, found ${this.dtype} ${formatShape(this.shape)} used as a JavaScript number; await t.item() reads it`,
    );
  }

  /** @internal True when the elements lie in row-major order. */
  get rowMajor(): boolean {
    return isRowMajor(this);
  }

  static {
    for (const name of elementwiseMethods) {
      Object.defineProperty(this.prototype, name, {
        value(this: Tensor, ...rest: readonly (Tensor | number)[]) {
          return elementwise(name, [this, ...rest]);
        },
        configurable: true,
        writable: true,
      });
    }
    disposable(this);
  }
}

export interface Tensor extends ElementwiseMethods<Tensor>, Disposable {}

function nest(values: TypedArray, shape: readonly number[]): Nested {
  let next = 0;
  const build = (axis: number): Nested => {
    if (axis === shape.length) return values[next++] as number;
    return Array.from({ length: shape[axis] as number }, () => build(axis + 1));
  };
  return build(0);
}
