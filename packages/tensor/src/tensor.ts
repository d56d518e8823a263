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

  /** Ends this tensor; its memory returns once no other tensor views it. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (--this.storage.handles === 0) this.device.release(this.storage);
  }

  /** A snapshot of the elements in row-major order. Rejects with BAD_DATA when a kernel found a fault. */
  async data(): Promise<TypedArray> {
    const dense = contiguous(this.live("data"));
    const elements = this.device.read(dense, this.size);
    if (dense !== this) dense.dispose();
    return elements;
  }

  /** A snapshot as nested arrays; a number for rank 0. */
  async toArray(): Promise<Nested> {
    const { shape } = this;
    return nest(await this.data(), shape);
  }

  /** The only element, as a number. Throws SHAPE_MISMATCH unless there is exactly one. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw codedError(
        "SHAPE_MISMATCH",
        `item: expected a tensor of one element, found shape ${formatShape(this.shape)}`,
      );
    }
    return (await this.data())[0] as number;
  }

  /** The same elements in memory of their own. */
  copy(): Tensor {
    return castTo(this.live("copy"), this.dtype, true);
  }

  /** Elements as another dtype; floats become integers by truncation, bool is 0 or 1. Shares memory if nothing changes. */
  cast(dtype: DType): Tensor {
    return castTo(this.live("cast"), dtype, false);
  }

  /** f of every element, fused into one kernel. */
  map(f: ScalarFunction, ...rest: readonly (Tensor | number)[]): Tensor {
    return mapTensor("map", f, [this, ...rest]);
  }

  /** The same elements under another shape; one extent may be −1. Shares memory where strides allow. */
  reshape(shape: readonly number[]): Tensor {
    return reshape(this, shape);
  }

  /** Repeats axes of extent 1 (and missing leading ones) without copying. */
  broadcastTo(shape: readonly number[]): Tensor {
    return broadcastTo(this, shape);
  }

  /** Axes in another order; without argument reversed. */
  permute(order?: readonly number[]): Tensor {
    return permute(this, order);
  }

  /** The last two axes exchanged. */
  transpose(): Tensor {
    return transpose(this);
  }

  /** `[start, stop)` per leading axis, negative from the end, null for the whole axis. Shares memory. */
  slice(...ranges: readonly SliceRange[]): Tensor {
    return slice(this, ranges);
  }

  /** Slices of `axis` chosen by an int32 tensor: shape[:axis] + indices.shape + shape[axis + 1:]. */
  gather(indices: Tensor, options?: { readonly axis?: number }): Tensor {
    return gather(this, indices, options);
  }

  /** Elements chosen one by one along `axis`; `indices` has this shape but for that axis. */
  takeAlongAxis(indices: Tensor, options: { readonly axis: number }): Tensor {
    return takeAlongAxis(this, indices, options);
  }

  /** Matrix product of the last two axes, batched over the broadcast of the others. */
  matmul(other: Tensor): Tensor {
    return matmul(this, other);
  }

  sum(options?: AxisOptions): Tensor {
    return reduce("sum", this, options);
  }

  mean(options?: AxisOptions): Tensor {
    return reduce("mean", this, options);
  }

  /** The largest element; NaN if any is. */
  max(options?: AxisOptions): Tensor {
    return reduce("max", this, options);
  }

  /** The smallest element; NaN if any is. */
  min(options?: AxisOptions): Tensor {
    return reduce("min", this, options);
  }

  product(options?: AxisOptions): Tensor {
    return reduce("product", this, options);
  }

  /** Index of the largest element, the lowest on a tie, as int32; over all elements without `axis`. */
  argmax(options?: { readonly axis?: number; readonly keepdims?: boolean }): Tensor {
    return reduce("argmax", this, options);
  }

  /** Index of the smallest element, the lowest on a tie, as int32; over all elements without `axis`. */
  argmin(options?: { readonly axis?: number; readonly keepdims?: boolean }): Tensor {
    return reduce("argmin", this, options);
  }

  /** Mean squared deviation from the mean, divided by n − correction. */
  variance(options?: VarianceOptions): Tensor {
    return variance(this, options);
  }

  /** Elements in ascending order along `axis` (the last by default), NaN last. */
  sort(options?: { readonly axis?: number }): Tensor {
    return sort(this, options);
  }

  /** Indices that sort, as int32; equal elements keep their order. */
  argsort(options?: { readonly axis?: number }): Tensor {
    return argsort(this, options);
  }

  /** The k largest along `axis`, in descending order, with their indices. */
  topk(k: number, options?: { readonly axis?: number }): { readonly values: Tensor; readonly indices: Tensor } {
    return topk(this, k, options);
  }

  /** The middle element, or the mean of the two middle ones. */
  median(options?: { readonly axis?: number; readonly keepdims?: boolean }): Tensor {
    return median(this, options);
  }

  /** Running sums along `axis`. */
  cumsum(options: { readonly axis: number }): Tensor {
    return cumsum(this, options);
  }

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
