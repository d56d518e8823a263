import { codedError, type Tensor } from "@robgrad/tensor";
import {
  formatShape,
  isFloating,
  spreadOverWindows,
  windowCounts,
  windowElements,
  windowMaxima,
  windowMeans,
  windowWinners,
  type Windows,
} from "@robgrad/tensor/kernels";
import { FunctionNode } from "../function-node.js";
import { isCarried, type SampleAxis, type SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { variableOf } from "./operand.js";
import { pad } from "./pad.js";
import { borders, perAxis, windowsOf, type PaddedWindows, type PerAxis, type WindowOptions } from "./window-options.js";

/** A node whose windows lie on the spatial axes of [N, C, …space]; linear, where it is known which elements win. */
abstract class WindowsFunction extends FunctionNode {
  protected readonly windows: Windows;

  constructor(windows: Windows) {
    super();
    this.windows = windows;
  }

  /** Linear in its one input: what it does to values it does to tangents. */
  override forwardTangent(tangents: readonly (Tensor | null)[]): readonly Tensor[] {
    return this.forward(tangents as readonly Tensor[]);
  }

  override sampleAxis([state]: readonly [SampleAxis], { samples, flow }: SampleTracking): SampleAxis {
    if (!isCarried(state) || state.axis < 2) return state;
    return flow.reduceSamples(this.label, state, [state.axis], false, this.inputShape(0), samples);
  }
}

/** The largest element of every window: its gradient belongs to the first one that is the largest. */
class MaxPoolFunction extends WindowsFunction {
  #winners: Tensor | undefined;

  override get label(): string {
    return "maxPool2d";
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    const maxima = windowMaxima(x, this.windows);
    if (this.requiresGrad(0)) this.#winners = this.keep(windowWinners(x, maxima, this.windows));
    return [maxima];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    return [() => spreading(gy, this.#winners as Tensor, this.inputShape(0), this.windows)];
  }

  override forwardTangent([x]: readonly [Tensor]): readonly Tensor[] {
    return [windowElements(x, this.#winners as Tensor, this.windows)];
  }
}

/** The elements of windows that were the largest somewhere else. */
class WinnersFunction extends WindowsFunction {
  readonly #winners: Tensor;

  constructor(windows: Windows, winners: Tensor) {
    super(windows);
    this.#winners = this.keep(winners);
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    return [windowElements(x, this.#winners, this.windows)];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    return [() => spreading(gy, this.#winners, this.inputShape(0), this.windows)];
  }
}

/** The mean of every window. */
class AvgPoolFunction extends WindowsFunction {
  override get label(): string {
    return "avgPool2d";
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    return [windowMeans(x, this.windows)];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    return [() => spreading(gy, null, this.inputShape(0), this.windows)];
  }
}

/** What windows have, added to the elements that won them, or to all of their elements in equal shares. */
class SpreadFunction extends WindowsFunction {
  readonly #winners: Tensor | null;
  readonly #shape: readonly number[];

  constructor(windows: Windows, winners: Tensor | null, shape: readonly number[]) {
    super(windows);
    this.#winners = winners && this.keep(winners);
    this.#shape = shape;
  }

  forward([y]: readonly [Tensor]): readonly Tensor[] {
    return [spreadOverWindows(y, this.#winners, this.#shape, this.windows)];
  }

  backward([gx]: readonly [Variable]): readonly (() => Variable)[] {
    return [
      () => {
        const node =
          this.#winners === null ? new AvgPoolFunction(this.windows) : new WinnersFunction(this.windows, this.#winners);
        return node.apply(gx)[0] as Variable;
      },
    ];
  }
}

function spreading(y: Variable, winners: Tensor | null, shape: readonly number[], windows: Windows): Variable {
  return new SpreadFunction(windows, winners, shape).apply(y)[0] as Variable;
}

/** The padded input, and its windows. */
function prepared(
  subject: string,
  x: Variable | Tensor,
  kernel: PerAxis,
  options: WindowOptions,
  border: number,
): readonly [padded: Variable, windows: Windows] {
  const from = variableOf(subject, x);
  if (from.shape.length !== 4) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected x [N, C, H, W], found ${from.dtype} ${formatShape(from.shape)}`,
    );
  }
  if (!isFloating(from.dtype)) {
    throw codedError(
      "DTYPE_MISMATCH",
      `${subject}: expected a floating dtype, found ${from.dtype} ${formatShape(from.shape)}`,
    );
  }
  const all = windowsOf(subject, perAxis(subject, "kernel", kernel, 2, 1), options, kernel);
  const { padding, ...windows } = all;
  const space = from.shape.slice(2);
  const counts = windowCounts(
    subject,
    space.map((extent, axis) => extent + 2 * (padding[axis] as number)),
    windows,
  );
  checkInside(subject, all, space, counts);
  return [padding.some((width) => width > 0) ? pad(from, borders(padding), border) : from, windows];
}

/** Every window has to hold an element of the input: there is no largest of padding alone. */
function checkInside(
  subject: string,
  { kernel, stride, dilation, padding }: PaddedWindows,
  space: readonly number[],
  counts: readonly number[],
): void {
  counts.forEach((count, axis) => {
    const at = (window: number, place: number) =>
      window * (stride[axis] as number) + place * (dilation[axis] as number) - (padding[axis] as number);
    const places = Array.from({ length: kernel[axis] as number }, (_, place) => place);
    const windows = Array.from({ length: count }, (_, window) => window);
    const outside = windows.find((window) => {
      return !places.some((place) => at(window, place) >= 0 && at(window, place) < (space[axis] as number));
    });
    if (outside === undefined) return;
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected every window to hold an element of x, found window ${outside} of spatial axis ${axis} in padding alone; use a padding of at most half the kernel`,
    );
  });
}

/**
 * The largest element of every window.
 *
 *   y[n, c, i, j] = max_{k,l} x[n, c, i·s₀ + k·d₀, j·s₁ + l·d₁],   s stride, d dilation
 *
 * The gradient goes to the first of the largest elements, row by row; a window with NaN is NaN. Padding never wins.
 *
 * @param x        [N, C, H, W]
 * @param kernel   Extents of a window, a number or one per axis.
 * @param options  `stride` as the kernel, `padding` 0, `dilation` 1 unless given.
 * @returns        [N, C, H′, W′] with H′ = ⌊(H + 2·padding − dilation·(K₀ − 1) − 1) / stride⌋ + 1, W′ likewise.
 * @throws         SHAPE_MISMATCH, also for a window larger than the padded input; DTYPE_MISMATCH; BAD_ARGUMENT for options
 *                 out of range, and for a window of nothing but padding.
 * @example        maxPool2d(new Variable(device.ones([4, 1, 8, 8])), 2)
 */
export function maxPool2d(x: Variable | Tensor, kernel: PerAxis, options: WindowOptions = {}): Variable {
  const [padded, windows] = prepared("maxPool2d", x, kernel, options, -Infinity);
  return new MaxPoolFunction(windows).apply(padded)[0] as Variable;
}

/**
 * The mean of every window; padding counts as zeros.
 *
 *   y[n, c, i, j] = 1/(K₀ K₁) Σ_{k,l} x[n, c, i·s₀ + k·d₀, j·s₁ + l·d₁],   s stride, d dilation
 *
 * @param x        [N, C, H, W]
 * @param kernel   Extents K₀ and K₁ of a window, a number or one per axis.
 * @param options  `stride` as the kernel, `padding` 0, `dilation` 1 unless given.
 * @returns        [N, C, H′, W′] with H′ = ⌊(H + 2·padding − dilation·(K₀ − 1) − 1) / stride⌋ + 1, W′ likewise.
 * @throws         SHAPE_MISMATCH, also for a window larger than the padded input; DTYPE_MISMATCH; BAD_ARGUMENT for options
 *                 out of range, and for a window of nothing but padding.
 * @example        avgPool2d(new Variable(device.ones([4, 1, 8, 8])), [2, 4])
 */
export function avgPool2d(x: Variable | Tensor, kernel: PerAxis, options: WindowOptions = {}): Variable {
  const [padded, windows] = prepared("avgPool2d", x, kernel, options, 0);
  return new AvgPoolFunction(windows).apply(padded)[0] as Variable;
}
