import {
  codedError,
  Tensor,
  type AxisOptions,
  type Cell,
  type Device,
  type DType,
  type ElementwiseMethods,
  type Nested,
  type ScalarFunction,
  type SliceRange,
  type TypedArray,
} from "@robgrad/tensor";
import { elementwiseMethods, formatShape, isFloating, ownedTensors, rewrapped } from "@robgrad/tensor/kernels";
import { onesFor, propagate } from "./backward.js";
import type { FunctionNode } from "./function-node.js";
import { broadcastTo } from "./functions/broadcast-to.js";
import { cast } from "./functions/cast.js";
import { cumsum } from "./functions/cumsum.js";
import { elementwise, mapVariables } from "./functions/elementwise.js";
import { max, min } from "./functions/extremum.js";
import { gather } from "./functions/gather.js";
import { matmul } from "./functions/matmul.js";
import { median } from "./functions/median.js";
import { permute, transpose } from "./functions/permute.js";
import { product } from "./functions/product.js";
import { reshape } from "./functions/reshape.js";
import { slice } from "./functions/slice.js";
import { sort } from "./functions/sort.js";
import { mean, sum } from "./functions/sum.js";
import { takeAlongAxis } from "./functions/take-along-axis.js";
import { topk } from "./functions/topk.js";
import { variance } from "./functions/variance.js";
import { reachable } from "./graph.js";
import { noGrad, tensorsOf } from "./recording.js";
import { isVariable, makeVariable, registerVariable, VariableNode } from "./variable-node.js";

const brand: unique symbol = Symbol.for("robgrad.variable");

/** What stands beside a Variable in an operation: tensors and numbers are constants. */
export type Operand = Variable | Tensor | number;

/** What a Variable is called, and whether it takes part in differentiation. */
export interface VariableOptions {
  /** Shown in graphs and errors. */
  readonly name?: string;
  /** Whether gradients in it are wanted: true for floating values unless given. */
  readonly requiresGrad?: boolean;
}

/** Where a value lives: a tensor, or a cell whose value is replaced as training goes on. */
export type VariableSource = Tensor | { readonly cell: Cell };

/** Where a backward pass starts, and what it leaves behind. */
export interface BackwardOptions {
  /** Keep the gradients of intermediate Variables too. */
  readonly retainGrad?: boolean;
  /** Gradient in this Variable; ones unless given, which needs a single element. */
  readonly gradOutput?: Variable | Tensor;
  /** Record the backward pass, so that gradients can be differentiated again. */
  readonly enableDoubleBackprop?: boolean;
}

/** A Variable of the same methods as a tensor's elementwise ones, which take Variables, tensors and numbers. */
type VariableMethods = {
  [K in keyof ElementwiseMethods<unknown>]: (
    ...operands: Parameters<ElementwiseMethods<Variable | Tensor>[K]>
  ) => Variable;
};

/**
 * A tensor whose history is recorded, so that gradients can be taken.
 *
 * @param source   Its value: a tensor, or a cell for what is trained.
 * @param options  `name`; `requiresGrad`, true for floating values unless given.
 * @throws         DTYPE_MISMATCH when a gradient is required of integers.
 * @see            Chainer, `Variable`; tutorial, Listing 1.
 * @example        const x = new Variable(device.tensor([1.5]), { name: "x" }); x.pow(3).backward();
 */
export class Variable {
  /** @internal Its place in the graph. */
  readonly node: VariableNode;
  /** @internal */
  readonly source: VariableSource;

  constructor(source: VariableSource, options?: VariableOptions);
  /** @internal */
  constructor(source: Tensor, node: VariableNode);
  constructor(source: VariableSource, options: VariableOptions | VariableNode = {}) {
    this.source = source;
    if (options instanceof VariableNode) {
      this.node = options;
      return;
    }
    const { name, requiresGrad } = options;
    const value = sourceTensor(source);
    if (requiresGrad === true && !isFloating(value.dtype)) {
      throw codedError(
        "DTYPE_MISMATCH",
        `Variable: expected a floating dtype where a gradient is required, found ${value.dtype} ${formatShape(value.shape)}`,
      );
    }
    this.node = new VariableNode(value, requiresGrad ?? isFloating(value.dtype), name, null, 0);
  }

  /** True for a Variable of any copy of this package. */
  static is(value: unknown): value is Variable {
    return isVariable(value);
  }

  get [brand](): true {
    return true;
  }

  /** The tensor. */
  get value(): Tensor {
    return Tensor.is(this.source) ? this.source : this.source.cell.value;
  }

  /** @internal The tensor without a handle of its own where it is a cell's: not to be kept. */
  get current(): Tensor {
    return sourceTensor(this.source);
  }

  /** @internal How often its cell has been assigned; 0 for a tensor. */
  get version(): number {
    return Tensor.is(this.source) ? 0 : this.source.cell.version;
  }

  get name(): string | undefined {
    return this.node.name;
  }

  set name(name: string | undefined) {
    this.node.name = name;
  }

  get shape(): readonly number[] {
    return this.node.shape;
  }

  get dtype(): DType {
    return this.node.dtype;
  }

  get device(): Device {
    return this.node.device;
  }

  /** How many elements. */
  get size(): number {
    return this.current.size;
  }

  /** Whether gradients in it are wanted: it asked for them, or depends on a Variable that did. */
  get requiresGrad(): boolean {
    return this.node.requiresGrad;
  }

  /** The node that made it; null for a leaf. */
  get creator(): FunctionNode | null {
    return this.node.creator;
  }

  /** What `backward` found: added up over calls in leaves, the last one's in intermediate Variables. */
  get grad(): Variable | null {
    return this.node.grad;
  }

  set grad(grad: Variable | null) {
    this.node.grad = grad;
  }

  /** Forgets the gradient; the next `backward` starts from nothing. */
  clearGrad(): void {
    this.node.grad = null;
  }

  /** The same value without its history, as a constant. */
  detach(): Variable {
    return new Variable(this.value, { requiresGrad: false, ...(this.name === undefined ? {} : { name: this.name }) });
  }

  /** A snapshot of the elements in row-major order. Rejects with BAD_DATA when a kernel found a fault. */
  data(): Promise<TypedArray> {
    return this.current.data();
  }

  /** A snapshot as nested arrays; a number for rank 0. */
  toArray(): Promise<Nested> {
    return this.current.toArray();
  }

  /** The only element, as a number. Throws SHAPE_MISMATCH unless there is exactly one. */
  item(): Promise<number> {
    return this.current.item();
  }

  /**
   * Walks the graph back and leaves the gradient of this Variable in `grad` of every leaf it depends on, adding to what
   * is there; `clearGrad` starts anew.
   *
   * @param options  `gradOutput` for a Variable of several elements; `retainGrad` keeps intermediate gradients, and
   *                 `enableDoubleBackprop` makes all of them differentiable.
   * @throws         SHAPE_MISMATCH without `gradOutput` unless there is one element, BAD_ARGUMENT without a history,
   *                 STALE_VALUE when a parameter was assigned since.
   * @see            Tutorial, Listing 1, block C.
   */
  backward({ retainGrad = false, gradOutput, enableDoubleBackprop = false }: BackwardOptions = {}): void {
    if (!this.requiresGrad) {
      throw codedError(
        "BAD_ARGUMENT",
        `backward: expected a Variable that depends on one with requiresGrad, found ${String(this)}; it was made inside noGrad or from constants`,
      );
    }
    if (gradOutput === undefined && this.size !== 1) {
      throw codedError(
        "SHAPE_MISMATCH",
        `backward: expected one element, found ${this.dtype} ${formatShape(this.shape)}; reduce it with mean() or pass gradOutput`,
      );
    }
    const seed =
      gradOutput === undefined ? onesFor(this.node) : isVariable(gradOutput) ? gradOutput : makeVariable(gradOutput);
    const retain = (node: VariableNode, gradient: Variable) => {
      node.grad = gradient;
    };
    const walk = () => {
      const gradients = propagate(this.node, seed, null, retainGrad ? retain : undefined);
      for (const [leaf, gradient] of gradients)
        leaf.grad = leaf.grad === null || leaf.grad.current.disposed ? gradient : leaf.grad.add(gradient);
    };
    if (enableDoubleBackprop) walk();
    else noGrad(walk);
  }

  /**
   * f of every element, with derivatives of all orders.
   *
   * @param f     Of traced scalars, such as `(u) => u.tanh().mul(2)`.
   * @param rest  Further arguments of f; they broadcast.
   */
  map(f: ScalarFunction, ...rest: readonly Operand[]): Variable {
    return mapVariables("map", f, [this, ...rest]);
  }

  /** Elements as another dtype; gradients pass between float32 and float64. */
  cast(dtype: DType): Variable {
    return cast(this, dtype);
  }

  /** The same elements under another shape; one extent may be −1. */
  reshape(shape: readonly number[]): Variable {
    return reshape(this, shape);
  }

  /** Repeats axes of extent 1 and missing leading ones. */
  broadcastTo(shape: readonly number[]): Variable {
    return broadcastTo(this, shape);
  }

  /** Axes in another order; without argument reversed. */
  permute(order?: readonly number[]): Variable {
    return permute(this, order);
  }

  /** The last two axes exchanged. */
  transpose(): Variable {
    return transpose(this);
  }

  /** `[start, stop)` per leading axis, negative from the end, null for the whole axis. */
  slice(...ranges: readonly SliceRange[]): Variable {
    return slice(this, ranges);
  }

  /** Slices of `axis` chosen by int32 indices: shape[:axis] + indices.shape + shape[axis + 1:]. */
  gather(indices: Variable | Tensor, options?: { readonly axis?: number }): Variable {
    return gather(this, indices, options);
  }

  /** Elements chosen one by one along `axis`; `indices` has this shape but for that axis. */
  takeAlongAxis(indices: Variable | Tensor, options: { readonly axis: number }): Variable {
    return takeAlongAxis(this, indices, options);
  }

  /** Matrix product of the last two axes, batched over the broadcast of the others. */
  matmul(other: Variable | Tensor): Variable {
    return matmul(this, other);
  }

  sum(options?: AxisOptions): Variable {
    return sum(this, options);
  }

  mean(options?: AxisOptions): Variable {
    return mean(this, options);
  }

  /** The largest element; elements that share it share its gradient equally. */
  max(options?: AxisOptions): Variable {
    return max(this, options);
  }

  /** The smallest element; elements that share it share its gradient equally. */
  min(options?: AxisOptions): Variable {
    return min(this, options);
  }

  product(options?: AxisOptions): Variable {
    return product(this, options);
  }

  /** Index of the largest element, the lowest on a tie, as int32; over all elements without `axis`. No gradient. */
  argmax(options?: { readonly axis?: number; readonly keepdims?: boolean }): Variable {
    return makeVariable(this.current.argmax(options));
  }

  /** Index of the smallest element, the lowest on a tie, as int32; over all elements without `axis`. No gradient. */
  argmin(options?: { readonly axis?: number; readonly keepdims?: boolean }): Variable {
    return makeVariable(this.current.argmin(options));
  }

  /** Mean squared deviation from the mean, divided by n − correction. */
  variance(options?: AxisOptions & { readonly correction?: number }): Variable {
    return variance(this, options);
  }

  /** Elements in ascending order along `axis` (the last by default). */
  sort(options?: { readonly axis?: number }): Variable {
    return sort(this, options);
  }

  /** The k largest along `axis`, in descending order, with their indices as int32. */
  topk(k: number, options?: { readonly axis?: number }): { readonly values: Variable; readonly indices: Variable } {
    return topk(this, k, options);
  }

  /** The middle element, or the mean of the two middle ones. */
  median(options?: { readonly axis?: number; readonly keepdims?: boolean }): Variable {
    return median(this, options);
  }

  /** Running sums along `axis`. */
  cumsum(options: { readonly axis: number }): Variable {
    return cumsum(this, options);
  }

  toString(): string {
    const name = this.name === undefined ? "" : ` ${this.name}`;
    const made = this.creator === null ? "" : `, made by ${this.creator.label}`;
    return `Variable${name} ${this.dtype} ${formatShape(this.shape)} on ${this.device.name}${made} (read it with await x.toArray(), x.data() or x.item())`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Text for string contexts; anything numeric throws, because the elements are on a device. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw codedError(
      "BAD_ARGUMENT",
      `Variable: expected to be used through its methods, found ${this.dtype} ${formatShape(this.shape)} used as a JavaScript number; await x.item() reads it`,
    );
  }

  /** @internal Every tensor that it and its history hold. */
  *[ownedTensors](): Generator<Tensor> {
    const nodes = reachable([this.node]);
    yield* tensorsOf(this);
    for (let { grad } = this; grad !== null; grad = grad.grad) {
      yield* tensorsOf(grad);
      nodes.push(...reachable([grad.node]));
    }
    for (const node of nodes) yield* node[ownedTensors]();
  }

  /** @internal A constant around another tensor: what a captured step returns in place of this Variable. */
  [rewrapped](tensor: Tensor): Variable {
    return makeVariable(tensor);
  }

  static {
    for (const name of elementwiseMethods) {
      Object.defineProperty(this.prototype, name, {
        value(this: Variable, ...rest: readonly Operand[]) {
          return elementwise(name, [this, ...rest]);
        },
        configurable: true,
        writable: true,
      });
    }
    registerVariable((value, node) => new Variable(value, node));
  }
}

export interface Variable extends VariableMethods {}

function sourceTensor(source: VariableSource): Tensor {
  return Tensor.is(source) ? source : source.cell.current;
}
