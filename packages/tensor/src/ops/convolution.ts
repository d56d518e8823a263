import type { Kernel, View } from "../kernel/kernel.js";
import { reshapeLayout, type Layout } from "../layout.js";
import { apply, input } from "../scalar/expression.js";
import { withoutTemporaries } from "../scope.js";
import { sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { empty, full, shapedAs } from "./creation.js";
import { eachPosition, part, reordered, spaceOf, span, windowCounts, windowView, type Windows } from "./windows.js";

/** How a convolution's windows lie, and which channels meet: each of `groups` equal parts its own. */
export interface Convolution extends Windows {
  readonly groups: number;
}

/** Elements that copied windows take at a time: 1 MiB in float32; more only where one row of outputs needs more. */
export const patchElements = 2 ** 18;

const product = apply("mul", input(0), input(1));
const sum = apply("add", input(0), input(1));
const same = input(0);

/** A range of images, and of the first spatial axis of their outputs, whose copied windows stay within the bound. */
interface Chunk {
  readonly images: readonly [start: number, stop: number];
  readonly rows: readonly [start: number, stop: number];
}

/** @param width  Elements of a window, over all channels. */
function chunksOf(images: number, width: number, counts: readonly number[]): Chunk[] {
  const [rows = 1] = counts;
  const row = width * sizeOf(counts.slice(1));
  const atOnce = Math.max(1, Math.floor(patchElements / Math.max(1, row)));
  const together = Math.floor(atOnce / rows);
  const cut = (extent: number, size: number) =>
    span(0, Math.ceil(extent / size)).map((k) => [k * size, Math.min(extent, (k + 1) * size)] as const);
  if (together >= 1) return cut(images, together).map((range) => ({ images: range, rows: [0, rows] }));
  return span(0, images).flatMap((image) =>
    cut(rows, atOnce).map((range): Chunk => ({ images: [image, image + 1], rows: range })),
  );
}

/** The part of an output-shaped view [N, Q, …counts] that belongs to a chunk. */
function outputsOf(view: View, { images, rows }: Chunk): View {
  return part(part(view, 0, ...images), 2, ...rows);
}

/** [N, Q, …counts] as [N, Q, T]; outputs of a chunk lie so that this needs no copy. */
function flat(view: View): View {
  const shape = [...view.shape.slice(0, 2), sizeOf(view.shape.slice(2))];
  return { ...view, ...(reshapeLayout(view, shape) as Layout) };
}

const run = ({ device }: Tensor, kernel: Kernel): void => device.run(kernel);

/** x's windows of a chunk as [N, P, T]. */
function patches(x: Tensor, windows: Windows, counts: readonly number[], chunk: Chunk): View {
  const rank = counts.length;
  const all = windowView(part(x, 0, ...chunk.images), windows, counts);
  const own = part(all, 2 + rank, ...chunk.rows);
  const shape = [own.shape[0] as number, sizeOf(own.shape.slice(1, 2 + rank)), sizeOf(own.shape.slice(2 + rank))];
  return threeAxes(x, own, shape);
}

/** The elements of a view under another shape: in place where strides allow, else copied. */
function threeAxes({ device }: Tensor, view: View, shape: readonly number[]): View {
  const layout = reshapeLayout(view, shape);
  if (layout !== undefined) return { ...view, ...layout };
  const copy = empty(device, view.dtype, view.shape);
  device.run({ form: "map", out: copy, f: same, operands: [view], transient: true });
  return shapedAs(copy, shape);
}

/** A weight tensor [Q, P…] as one matrix for every image. */
function asMatrix(w: Tensor, images: number, turned: boolean): View {
  const [q, p] = [w.shape[0] as number, sizeOf(w.shape.slice(1))];
  const matrix = w.reshape([q, p]);
  const [rows, columns] = matrix.strides as [number, number];
  return {
    storage: matrix.storage,
    dtype: w.dtype,
    shape: turned ? [images, p, q] : [images, q, p],
    strides: turned ? [0, columns, rows] : [0, rows, columns],
    offset: matrix.offset,
  };
}

/** Channels as [groups, channels of a group] in a view [N, C, …]. */
function grouped(view: View, groups: number, axis = 1): View {
  const extent = (view.shape[axis] as number) / groups;
  const stride = view.strides[axis] as number;
  return {
    ...view,
    shape: [...view.shape.slice(0, axis), groups, extent, ...view.shape.slice(axis + 1)],
    strides: [...view.strides.slice(0, axis), extent * stride, stride, ...view.strides.slice(axis + 1)],
  };
}

/** A view repeated over `shape`: its axis `places[k]` is axis k, −1 repeats. */
function spread(view: View, shape: readonly number[], places: readonly number[]): View {
  return {
    storage: view.storage,
    dtype: view.dtype,
    shape,
    strides: places.map((axis) => (axis < 0 ? 0 : (view.strides[axis] as number))),
    offset: view.offset,
  };
}

/** out[kept] = Σ over the last axes of a · b, whatever the strides: what groups of few channels take. */
function sumOfProducts(x: Tensor, out: View, shape: readonly number[], a: View, b: View): void {
  const kept = out.shape.length;
  run(x, {
    form: "reduce",
    out,
    shape,
    axes: span(kept, shape.length - kept),
    monoid: "sum",
    f: product,
    epilogue: null,
    operands: [a, b],
  });
}

/**
 * y[n, q, o] = Σ_{c,k} w[q, c, k] · x[n, c, o·s + k·d], without padding. Copied windows stay within 2¹⁸ elements.
 *
 * @param x  [N, C, …space]
 * @param w  [Q, C / groups, …kernel]
 * @returns  [N, Q, …counts]
 * @throws   SHAPE_MISMATCH where no window fits.
 */
export function convolve(x: Tensor, w: Tensor, windows: Convolution): Tensor {
  const counts = windowCounts("convolve", spaceOf(x), windows);
  const [images, outputs] = [x.shape[0] as number, w.shape[0] as number];
  const out = empty(x.device, x.dtype, [images, outputs, ...counts]);
  if (out.size === 0) return out;
  return withoutTemporaries(x.device, () => {
    const { groups, kernel } = windows;
    const rank = kernel.length;
    if (groups > 1) {
      const from = grouped(windowView(x, windows, counts), groups);
      const weights = grouped(w, groups, 0);
      const to = grouped(out, groups);
      const shape = [...to.shape, ...weights.shape.slice(2)];
      const ofWeights = [-1, 0, 1, ...counts.map(() => -1), ...span(2, 1 + rank)];
      const ofX = [0, 1, -1, ...span(3 + rank, rank), 2, ...span(3, rank)];
      sumOfProducts(x, to, shape, spread(weights, shape, ofWeights), spread(from, shape, ofX));
      return out;
    }
    const width = sizeOf(w.shape.slice(1));
    for (const chunk of chunksOf(images, width, counts)) {
      withoutTemporaries(x.device, () => {
        const place = flat(outputsOf(out, chunk));
        const a = asMatrix(w, place.shape[0] as number, false);
        const b = patches(x, windows, counts, chunk);
        run(x, { form: "contract", out: place, a, b, epilogue: null, operands: [] });
      });
    }
    return out;
  });
}

/**
 * The gradient of ⟨δ, convolve(x, w)⟩ in x.
 *
 * @param delta  [N, Q, …counts]
 * @param shape  Of x.
 * @returns      [N, C, …space]
 */
export function convolutionInputGradient(
  delta: Tensor,
  w: Tensor,
  shape: readonly number[],
  windows: Convolution,
): Tensor {
  const { groups, kernel } = windows;
  const rank = kernel.length;
  const counts = spaceOf(delta);
  const [images, channels] = shape as [number, number];
  const out = full(delta.device, shape, 0, { dtype: delta.dtype });
  if (delta.size === 0 || out.size === 0) return out;
  return withoutTemporaries(delta.device, () => {
    const source = delta.reshape(delta.shape);
    for (const chunk of chunksOf(images, channels * sizeOf(kernel), counts)) {
      withoutTemporaries(delta.device, () => {
        const own = outputsOf(source, chunk);
        const count = own.shape[0] as number;
        // What every window says about the elements it holds.
        const parts = empty(delta.device, delta.dtype, [count, channels, ...kernel, ...own.shape.slice(2)]);
        if (groups > 1) {
          const [from, weights, to] = [grouped(own, groups), grouped(w, groups, 0), grouped(parts, groups)];
          const all = [...to.shape, weights.shape[1] as number];
          const ofWeights = [-1, 0, 2, ...span(3, rank), ...counts.map(() => -1), 1];
          const ofDelta = [0, 1, -1, ...kernel.map(() => -1), ...span(3, rank), 2];
          sumOfProducts(delta, to, all, spread(weights, all, ofWeights), spread(from, all, ofDelta));
        } else {
          const b = threeAxes(delta, own, [count, own.shape[1] as number, sizeOf(own.shape.slice(2))]);
          const place = shapedAs(parts, [count, channels * sizeOf(kernel), sizeOf(own.shape.slice(2))]);
          run(delta, {
            form: "contract",
            out: place,
            a: asMatrix(w, count, true),
            b,
            epilogue: null,
            operands: [],
          });
        }
        const first = chunk.rows[0] * (windows.stride[0] as number);
        const target = part(part(out, 0, ...chunk.images), 2, first, shape[2] as number);
        eachPosition(target, windows, own.shape.slice(2), (place, position) => {
          const offset = position.reduce((sum, index, axis) => sum + index * (parts.strides[2 + axis] as number), 0);
          const term = reordered({ ...shapedAs(parts, parts.shape), offset }, [0, 1, ...span(2 + rank, rank)]);
          run(delta, { form: "map", out: place, f: sum, operands: [place, term] });
        });
      });
    }
    return out;
  });
}

/**
 * Gradients in w, apart for N samples that were convolved U times each.
 *
 *   out[n, q, c, k] = Σ_{u,o} δ[n, u, q, o] · x[n, u, c, o·s + k·d]
 *
 * @param delta  [N, U, Q, …counts]
 * @param x      [N, U, C, …space]
 * @returns      [N, Q, C / groups, …kernel]
 */
export function convolutionWeightGradients(delta: Tensor, x: Tensor, windows: Convolution): Tensor {
  const { groups, kernel } = windows;
  const rank = kernel.length;
  const [samples, uses, outputs, ...counts] = delta.shape as [number, number, number, ...number[]];
  const channels = (x.shape[2] as number) / groups;
  const { device, dtype } = x;
  if (delta.size === 0 || x.size === 0) return full(device, [samples, outputs, channels, ...kernel], 0, { dtype });
  const out = empty(device, dtype, [samples, outputs, channels, ...kernel]);
  return withoutTemporaries(device, () => {
    const d = delta.reshape([samples * uses, outputs, ...counts]);
    const images = x.reshape([samples * uses, ...x.shape.slice(2)]);
    const from = windowView(images, windows, counts);
    if (groups > 1) {
      const split = (view: View): View => {
        const [n, ...rest] = view.strides as [number, ...number[]];
        return { ...view, shape: [samples, uses, ...view.shape.slice(1)], strides: [n * uses, n, ...rest] };
      };
      const [windowed, gradients] = [split(grouped(from, groups)), split(grouped(d, groups))];
      const to = grouped(out, groups);
      const all = [...to.shape, uses, ...counts];
      const ofDelta = [0, 2, 3, -1, ...kernel.map(() => -1), 1, ...span(4, rank)];
      const ofX = [0, 2, -1, 3, ...span(4, rank), 1, ...span(4 + rank, rank)];
      sumOfProducts(x, to, all, spread(gradients, all, ofDelta), spread(windowed, all, ofX));
      return out;
    }
    const width = channels * sizeOf(kernel);
    const rows = out.reshape([samples, outputs, width]);
    /** The gradients of `count` samples, whose images a chunk has, into a view [count, Q, P]. */
    const gather = (chunk: Chunk, count: number, to: View): void => {
      const window = part(part(from, 0, ...chunk.images), 2 + rank, ...chunk.rows);
      const each = (chunk.images[1] - chunk.images[0]) / count;
      const terms = each * sizeOf(window.shape.slice(2 + rank));
      // Terms of one sample as one axis of a matrix: [P, N, U·T] and [N, Q, U·T].
      const b = threeAxes(x, reordered(window, [...span(1, 1 + rank), 0, ...span(2 + rank, rank)]), [
        width,
        count,
        terms,
      ]);
      const own = outputsOf(d, chunk);
      const [step, ...others] = own.strides as [number, ...number[]];
      const bySample: View = {
        ...own,
        shape: [count, outputs, each, ...own.shape.slice(2)],
        strides: [step * each, others[0] as number, step, ...others.slice(1)],
      };
      const a = threeAxes(x, bySample, [count, outputs, terms]);
      run(x, { form: "contract", out: to, a, b: reordered(b, [1, 2, 0]), epilogue: null, operands: [] });
    };
    const perSample = uses * width * sizeOf(counts);
    if (perSample <= patchElements) {
      const together = Math.max(1, Math.floor(patchElements / Math.max(1, perSample)));
      for (let start = 0; start < samples; start += together) {
        const stop = Math.min(samples, start + together);
        withoutTemporaries(device, () => {
          const chunk: Chunk = { images: [start * uses, stop * uses], rows: [0, counts[0] as number] };
          gather(chunk, stop - start, part(rows, 0, start, stop));
        });
      }
      return out;
    }
    for (let n = 0; n < samples; n++) {
      const to = part(rows, 0, n, n + 1);
      chunksOf(uses, width, counts).forEach(({ images: [start, stop], rows: range }, k) => {
        withoutTemporaries(device, () => {
          const chunk: Chunk = { images: [n * uses + start, n * uses + stop], rows: range };
          if (k === 0) {
            gather(chunk, 1, to);
            return;
          }
          const more = empty(device, dtype, to.shape);
          gather(chunk, 1, more);
          run(x, { form: "map", out: to, f: sum, operands: [to, more] });
        });
      });
    }
    return out;
  });
}
