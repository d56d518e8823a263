import { isFloating, type DType } from "../dtype.js";
import { reshapeLayout } from "../layout.js";
import { input, normalize, substitute, type Expression } from "../scalar/expression.js";
import { operation, type OperationName } from "../scalar/operations.js";
import { sizeOf } from "../shape.js";
import type { Storage } from "../storage.js";
import { composeOperand, isWhole, sameView } from "./compose.js";
import { describeKernel } from "./describe.js";
import { isIndex, type ContractKernel, type Kernel, type MapKernel, type Operand, type View } from "./kernel.js";
import { mapViews, viewsOf } from "./views.js";

/** Formulas longer than this are left in two kernels: their values no longer fit the registers. */
const longestFormula = 48;
const mostOperands = 10;

/** Cost of operations that are more than an instruction or two, in additions. */
const costs: Partial<Record<OperationName, number>> = {
  div: 4,
  sqrt: 4,
  reciprocal: 4,
  remainder: 20,
  pow: 40,
  exp: 15,
  expm1: 20,
  log: 20,
  log1p: 20,
  sin: 30,
  cos: 30,
  tan: 30,
  atan: 20,
  sinh: 30,
  cosh: 30,
  tanh: 20,
  sigmoid: 20,
  softplus: 30,
  logCosh: 40,
};

function costOf(f: Expression): number {
  return normalize(f).nodes.reduce((sum, node) => sum + (node.kind === "apply" ? (costs[node.operation] ?? 1) : 0), 0);
}

/**
 * The same work in fewer kernels. What is computed twice is computed once, maps are computed inside the kernels that
 * read them, products take up the map that follows, and what nobody reads is dropped. Every operation of a
 * formula still rounds to the dtype of its kernel, so that results keep their bits on devices that compute in it.
 *
 * @param temporary  Storages that belong to these kernels alone: nobody looks at them before or after.
 * @param results    Temporary storages that somebody does look at afterwards.
 */
export function fuse(
  kernels: readonly Kernel[],
  temporary: (storage: Storage) => boolean,
  results: ReadonlySet<Storage>,
): Kernel[] {
  const fusion = new Fusion(shareEqual(kernels, temporary, results), temporary, results);
  return dropUnread(fusion.run(), temporary, results);
}

/** For every storage, the kernels that write it, in order. */
function writersIn(kernels: readonly (Kernel | null)[]): Map<Storage, number[]> {
  const writers = new Map<Storage, number[]>();
  kernels.forEach((kernel, k) => {
    if (kernel === null) return;
    for (const { storage } of viewsOf(kernel).writes) append(writers, storage, k);
  });
  return writers;
}

function append(lists: Map<Storage, number[]>, storage: Storage, k: number): void {
  const list = lists.get(storage);
  if (list === undefined) lists.set(storage, [k]);
  else if (list.at(-1) !== k) list.push(k);
}

/** Kernels that repeat what an earlier one has computed from the same values are left out. */
function shareEqual(
  kernels: readonly Kernel[],
  temporary: (storage: Storage) => boolean,
  results: ReadonlySet<Storage>,
): Kernel[] {
  const writers = writersIn(kernels);
  const numbers = new Map<Storage, number>();
  const versions = new Map<Storage, number>();
  const name = (storage: Storage): string => {
    let number = numbers.get(storage);
    if (number === undefined) numbers.set(storage, (number = numbers.size));
    return `${number}.${versions.get(storage) ?? 0}`;
  };
  const known = new Map<string, Storage>();
  const instead = new Map<Storage, Storage>();
  return kernels.flatMap((original) => {
    const read = (view: View): View => {
      const other = instead.get(view.storage);
      return other === undefined ? view : { ...view, storage: other };
    };
    const kernel = mapViews(original, read, (view) => view);
    const { writes } = viewsOf(kernel);
    const [out] = writes;
    const own = (storage: Storage) => temporary(storage) && !results.has(storage) && writers.get(storage)?.length === 1;
    if (
      out !== undefined &&
      kernel.form !== "routine" &&
      kernel.form !== "iterate" &&
      own(out.storage) &&
      isWhole(out) &&
      !("transient" in kernel)
    ) {
      const key = describeKernel(withoutUnitAxes(kernel), (storage) =>
        storage === out.storage ? "out" : name(storage),
      );
      const before = known.get(key);
      if (before !== undefined) {
        instead.set(out.storage, before);
        return [];
      }
      known.set(key, out.storage);
    } else for (const { storage } of writes) versions.set(storage, (versions.get(storage) ?? 0) + 1);
    return [kernel];
  });
}

/** A map or a reduction without axes of extent 1, which say nothing about the work. */
function withoutUnitAxes(kernel: Kernel): Kernel {
  if (kernel.form !== "map" && kernel.form !== "reduce") return kernel;
  const shape = kernel.form === "map" ? kernel.out.shape : kernel.shape;
  const wide = shape.flatMap((extent, axis) => (extent === 1 ? [] : [axis]));
  if (
    wide.length === shape.length ||
    kernel.operands.some((operand) => isIndex(operand) && !wide.includes(operand.axis))
  )
    return kernel;
  const narrowed = (view: View, axes: readonly number[]): View => ({
    ...view,
    shape: axes.map((axis) => view.shape[axis] as number),
    strides: axes.map((axis) => view.strides[axis] as number),
  });
  const operands = kernel.operands.map((operand) =>
    isIndex(operand) ? { axis: wide.indexOf(operand.axis) } : narrowed(operand, wide),
  );
  if (kernel.form === "map") return { ...kernel, out: narrowed(kernel.out, wide), operands };
  const kept = kernel.out.shape.flatMap((extent, axis) => (extent === 1 ? [] : [axis]));
  return {
    ...kernel,
    out: narrowed(kernel.out, kept),
    shape: wide.map((axis) => shape[axis] as number),
    axes: kernel.axes.flatMap((axis) => (wide.includes(axis) ? [wide.indexOf(axis)] : [])),
    operands,
  };
}

function dropUnread(
  kernels: readonly Kernel[],
  temporary: (storage: Storage) => boolean,
  results: ReadonlySet<Storage>,
): Kernel[] {
  const wanted = new Set(results);
  const kept: Kernel[] = [];
  for (const kernel of [...kernels].reverse()) {
    const { reads, writes } = viewsOf(kernel);
    if (!writes.some(({ storage }) => wanted.has(storage) || !temporary(storage))) continue;
    for (const { storage } of reads) wanted.add(storage);
    kept.push(kernel);
  }
  return kept.reverse();
}

/** Kernels whose operands are looked at element by element, so that a map can be computed in their place. */
type Reader = Exclude<Kernel, { readonly form: "column" | "routine" | "iterate" }>;

const isReader = (kernel: Kernel | null | undefined): kernel is Reader =>
  kernel !== null && kernel !== undefined && ["map", "reduce", "contract"].includes(kernel.form);

const iterations = (kernel: Reader): number => sizeOf(kernel.form === "reduce" ? kernel.shape : kernel.out.shape);

class Fusion {
  readonly #kernels: (Kernel | null)[];
  readonly #writers: Map<Storage, number[]>;
  readonly #readers = new Map<Storage, Set<number>>();
  readonly #temporary: (storage: Storage) => boolean;
  readonly #results: ReadonlySet<Storage>;

  constructor(kernels: readonly Kernel[], temporary: (storage: Storage) => boolean, results: ReadonlySet<Storage>) {
    this.#kernels = [...kernels];
    this.#temporary = temporary;
    this.#results = results;
    this.#writers = writersIn(kernels);
    kernels.forEach((kernel, k) => this.#count(kernel, k));
  }

  run(): Kernel[] {
    for (let k = 0; k < this.#kernels.length; k++) {
      const kernel = this.#kernels[k];
      if (kernel?.form === "iterate") this.#replace(k, this.#loop(kernel));
      this.#takeUpMaps(k);
      this.#joinProducer(k);
    }
    return this.#kernels.filter((kernel) => kernel !== null);
  }

  #count(kernel: Kernel, k: number): void {
    for (const { storage } of viewsOf(kernel).reads) {
      const readers = this.#readers.get(storage);
      if (readers === undefined) this.#readers.set(storage, new Set([k]));
      else readers.add(k);
    }
  }

  #replace(k: number, kernel: Kernel | null): void {
    const before = this.#kernels[k];
    if (before) for (const { storage } of viewsOf(before).reads) this.#readers.get(storage)?.delete(k);
    this.#kernels[k] = kernel;
    if (kernel) this.#count(kernel, k);
  }

  /** The kernel that alone writes a temporary, whole and before k; -1 where there is none. */
  #producer(storage: Storage, k: number): number {
    const writers = this.#writers.get(storage);
    const [i] = writers ?? [];
    if (i === undefined || writers?.length !== 1 || i >= k || !this.#temporary(storage) || this.#results.has(storage))
      return -1;
    const kernel = this.#kernels[i];
    if (!kernel || kernel.form === "routine" || kernel.form === "iterate" || !isWhole(kernel.out)) return -1;
    return i;
  }

  /** True when nobody writes a storage after kernel i and before kernel k. */
  #still(storage: Storage, i: number, k: number): boolean {
    return !(this.#writers.get(storage) ?? []).some((w) => w > i && w < k && this.#kernels[w] !== null);
  }

  /** The loop with its body fused; what only its body touches is the body's own. */
  #loop(kernel: Extract<Kernel, { readonly form: "iterate" }>): Kernel {
    const outside = new Set<Storage>(this.#results);
    for (const other of this.#kernels) {
      if (!other || other === kernel) continue;
      const { reads, writes } = viewsOf(other);
      for (const { storage } of [...reads, ...writes]) outside.add(storage);
    }
    const looked = new Set<Storage>(kernel.copies.map(({ from }) => from.storage));
    if (kernel.until !== null) looked.add(kernel.until.storage);
    const state = new Set(kernel.copies.map(({ to }) => to.storage));
    const own = (storage: Storage) => this.#temporary(storage) && !outside.has(storage) && !state.has(storage);
    return { ...kernel, body: fuse(kernel.body, own, looked) };
  }

  /** Computes maps inside kernel k instead of reading their results. */
  #takeUpMaps(k: number): void {
    for (let at = 0; ; at++) {
      const kernel = this.#kernels[k];
      if (!isReader(kernel) || at >= kernel.operands.length) return;
      const operand = kernel.operands[at] as Operand;
      if (isIndex(operand)) continue;
      const i = this.#producer(operand.storage, k);
      const producer = this.#kernels[i];
      if (producer?.form !== "map" || !this.#pays(producer, kernel)) continue;
      const fused = this.#inlined(kernel, at, operand, producer, i, k);
      if (fused === null) continue;
      this.#replace(k, fused);
      if (this.#readers.get(operand.storage)?.size === 0) this.#replace(i, null);
      // The operands that came in its place stand at the end; the next one has moved here.
      at--;
    }
  }

  /** A map is computed where it is read if that saves memory traffic and repeats little. */
  #pays(producer: MapKernel, reader: Reader): boolean {
    // What a reduction reads through two views meets itself there, each element many times.
    const { storage } = producer.out;
    const seen = (reader.operands as readonly Partial<View>[]).filter((view) => view.storage === storage);
    if (reader.form === "reduce" && seen.length > 1) return false;
    const readers = [...(this.#readers.get(producer.out.storage) ?? [])].map((k) => this.#kernels[k]);
    const views = producer.operands.filter((operand) => !isIndex(operand));
    const cost = costOf(producer.f);
    if (views.length === 0 && cost <= 4) return true;
    if (readers.length === 1) return cost <= 2 || iterations(reader) <= sizeOf(producer.out.shape);
    return cost <= 2 && views.length <= 1 && readers.every(isReader);
  }

  #inlined(reader: Reader, at: number, view: View, producer: MapKernel, i: number, k: number): Reader | null {
    const composed = producer.operands.map((operand) => composeOperand(view, producer.out.shape, operand));
    if (composed.some((operand) => operand === null)) return null;
    const parts = composed as Operand[];
    for (const part of parts) {
      if (isIndex(part)) continue;
      if (!this.#still(part.storage, i, k)) return null;
      // A kernel may read what it writes only element by element.
      if (part.storage === reader.out.storage && !(reader.form === "map" && sameView(part, reader.out))) return null;
    }
    const others = reader.operands.filter((_, p) => p !== at);
    const copies = reader.form === "map" && reader.f.kind === "input" && reader.out.dtype === producer.out.dtype;
    if (!copies && !keepsNumbers(producer, [reader.out, ...others])) return null;
    const operands: Operand[] = [...others];
    const places = parts.map((part) => placeOf(operands, part));
    const shift = reader.form === "contract" ? 1 : 0;
    const replace = (index: number): Expression => {
      const p = index - shift;
      if (p === at) return substitute(producer.f, (q) => input((places[q] as number) + shift));
      return p < at ? input(index) : input(index - 1);
    };
    if (operands.length > mostOperands) return null;
    switch (reader.form) {
      case "map":
      case "reduce": {
        const f = substitute(reader.f, replace);
        if (normalize(f).nodes.length > longestFormula) return null;
        return { ...reader, f, operands };
      }
      case "contract": {
        if (operands.some(isIndex)) return null;
        const epilogue = substitute(reader.epilogue as Expression, replace);
        if (normalize(epilogue).nodes.length > longestFormula) return null;
        return { ...reader, epilogue, operands: operands as View[] };
      }
    }
  }

  /** Lets a product store what the map k makes of it. */
  #joinProducer(k: number): void {
    const map = this.#kernels[k];
    if (map?.form !== "map") return;
    for (const operand of map.operands) {
      if (isIndex(operand)) continue;
      const i = this.#producer(operand.storage, k);
      const producer = this.#kernels[i];
      if (producer?.form !== "contract" || this.#readers.get(operand.storage)?.size !== 1) continue;
      const joined = this.#product(producer, map);
      if (joined === null) continue;
      const { reads } = viewsOf(joined);
      if (reads.some(({ storage }) => storage === map.out.storage || !this.#still(storage, i, k))) continue;
      this.#replace(i, null);
      this.#replace(k, joined);
      return;
    }
  }

  #product(product: ContractKernel, map: MapKernel): ContractKernel | null {
    const { out } = product;
    const operands: View[] = [...product.operands];
    const places: (number | "sum")[] = [];
    for (const operand of map.operands) {
      if (isIndex(operand)) return null;
      if (operand.storage === out.storage) {
        if (!isWhole(operand)) return null;
        places.push("sum");
        continue;
      }
      const layout = reshapeLayout(operand, out.shape);
      if (layout === undefined) return null;
      places.push(placeOf(operands, { ...operand, ...layout }));
    }
    const written = reshapeLayout(map.out, out.shape);
    const views = [map.out, ...operands];
    if (written === undefined || operands.length > mostOperands || views.some((view) => !fits(view.dtype, out.dtype)))
      return null;
    if (map.out.dtype !== out.dtype) return null;
    const epilogue = substitute(map.f, (p) => {
      const place = places[p] as number | "sum";
      return place === "sum" ? (product.epilogue ?? input(0)) : input(place + 1);
    });
    if (normalize(epilogue).nodes.length > longestFormula) return null;
    return { ...product, out: { ...map.out, ...written }, epilogue, operands };
  }
}

/** Where an operand stands in a list, to which it is added if it is not there. */
function placeOf<T extends Operand>(operands: T[], operand: T): number {
  const at = operands.findIndex((other) =>
    isIndex(other) || isIndex(operand)
      ? isIndex(other) && isIndex(operand) && other.axis === operand.axis
      : other.dtype === operand.dtype && sameView(other, operand),
  );
  return at < 0 ? operands.push(operand) - 1 : at;
}

const fits = (dtype: DType, float: DType) => dtype === float || dtype === "bool";

/**
 * True when the values of a map are the same numbers if they are computed among `others`: in one floating dtype, and with
 * integers only where they are compared.
 */
function keepsNumbers({ out, f, operands }: MapKernel, others: readonly Operand[]): boolean {
  const dtypes = (list: readonly Operand[]) => list.flatMap((operand) => (isIndex(operand) ? [] : [operand.dtype]));
  const floats = new Set([...dtypes(others), ...dtypes(operands), out.dtype].filter(isFloating));
  if (floats.size > 1) return false;
  const tests = f.kind === "apply" && operation(f.operation).result === "bool";
  if (out.dtype === "bool") {
    if (!tests) return false;
  } else if (!isFloating(out.dtype)) return false;
  if (operands.every((operand) => !isIndex(operand) && (isFloating(operand.dtype) || operand.dtype === "bool")))
    return true;
  const whole = (e: Expression) => e.kind === "input" || (e.kind === "constant" && Number.isInteger(e.value));
  return (
    tests && f.arguments.every(whole) && operands.every((operand) => isIndex(operand) || !isFloating(operand.dtype))
  );
}
