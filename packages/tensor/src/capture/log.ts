import type { Cell } from "../cell.js";
import type { Device } from "../device/device.js";
import type { DeviceBuffer } from "../device/executor.js";
import type { DType, TypedArray } from "../dtype.js";
import { describeKernel } from "../kernel/describe.js";
import type { Kernel, View } from "../kernel/kernel.js";
import { mapViews, viewsOf } from "../kernel/views.js";
import { Storage, type StorageOwner } from "../storage.js";

/** What a storage is to a step: handed in, made on the way, made of host values, or there before. */
export type SlotKind = "argument" | "temporary" | "constant" | "external";

/** A place that kernels of a step name. */
export interface Slot {
  readonly kind: SlotKind;
  /** Place of an argument; externals are numbered across calls, so equal numbers mean equal memory. */
  readonly number: number;
  /** Stands for the storage in the kernels of the log; its buffer is set when the step is planned. */
  readonly place: Storage;
  /** What it stood for in the call that was logged. */
  readonly source: Storage;
  /** The memory of `source` at that time: a cell may have stepped aside since. */
  readonly buffer: DeviceBuffer;
  /** Host values of a constant. */
  readonly values?: TypedArray;
}

export interface LoggedKernel {
  readonly kernel: Kernel;
  /** The line of the caller's code that asked for it. */
  readonly origin: string;
}

/** Lines of a stack that belong to robgrad itself or to the runtime. */
const own =
  /\(?(node:|<anonymous>)|[/\\]@robgrad[/\\]|[/\\]packages[/\\](tensor|autograd|nn|aggregators)[/\\](src|dist)[/\\]/;

function callerLine(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 40;
  const lines = (new Error().stack ?? "").split("\n").slice(1);
  Error.stackTraceLimit = stackTraceLimit;
  return (lines.find((line) => /\d/.test(line) && !own.test(line)) ?? "").trim();
}

/** Everything one call of a step did on a device, with storages replaced by numbered slots. */
export class StepLog implements StorageOwner {
  kernels: readonly LoggedKernel[] = [];
  /** Cells the step assigned, and how often. */
  readonly cells = new Map<Cell, number>();
  readonly #slots = new Map<DeviceBuffer, Slot>();
  readonly #byPlace = new Map<Storage, Slot>();
  readonly #externals: Map<DeviceBuffer, number>;
  #arguments = 0;

  readonly #device: Device;

  /** @param externals  Numbers of memory that existed before, shared by the logs to be compared. */
  constructor(device: Device, externals: Map<DeviceBuffer, number>) {
    this.#device = device;
    this.#externals = externals;
  }

  argument(storage: Storage): Slot {
    return this.#add("argument", storage, this.#arguments++);
  }

  allocated(storage: Storage): void {
    this.#add("temporary", storage, 0);
  }

  /** A place for what a plan makes on the way; no call has written it. */
  temporary(dtype: DType, length: number): Storage {
    const source = new Storage(this.#device, dtype, length, {});
    return this.#add("temporary", source, 0).place;
  }

  written(storage: Storage, values: TypedArray): void {
    const slot = this.#slots.get(storage.buffer);
    if (slot?.kind === "temporary") this.#add("constant", storage, 0, values.slice(), slot.place);
  }

  ran(kernel: Kernel): void {
    const replace = (view: View): View => ({
      storage: this.slotOf(view.storage).place,
      dtype: view.dtype,
      shape: view.shape,
      strides: view.strides,
      offset: view.offset,
    });
    (this.kernels as LoggedKernel[]).push({ kernel: mapViews(kernel, replace, replace), origin: callerLine() });
  }

  /**
   * Drops kernels whose results nobody looks at, such as the copies that cells make for tensors held outside the step.
   *
   * @param results  Places that the step returns.
   */
  dropUnused(results: ReadonlySet<Storage>): void {
    const wanted = new Set(results);
    const needed: LoggedKernel[] = [];
    for (const logged of [...this.kernels].reverse()) {
      const { reads, writes } = viewsOf(logged.kernel);
      if (!writes.some(({ storage }) => wanted.has(storage) || this.at(storage).kind !== "temporary")) continue;
      for (const { storage } of [...reads, ...writes]) wanted.add(storage);
      needed.push(logged);
    }
    this.kernels = needed.reverse();
  }

  assigned(cell: Cell): void {
    this.cells.set(cell, (this.cells.get(cell) ?? 0) + 1);
  }

  slotOf(storage: Storage): Slot {
    storage.owner?.partFromOutside();
    const known = this.#slots.get(storage.buffer);
    if (known !== undefined) return known;
    let number = this.#externals.get(storage.buffer);
    if (number === undefined) this.#externals.set(storage.buffer, (number = this.#externals.size));
    return this.#add("external", storage, number);
  }

  /** Places of a log are nobody's outside. */
  partFromOutside(): void {}

  /** The slot whose place a logged kernel names. */
  at(place: Storage): Slot {
    return this.#byPlace.get(place) as Slot;
  }

  get slots(): Iterable<Slot> {
    return this.#byPlace.values();
  }

  /** Every kernel as text, with temporaries and constants numbered as they appear. */
  describe(): string[] {
    const numbers = new Map<Storage, number>();
    return this.kernels.map(({ kernel }) =>
      describeKernel(kernel, (place) => {
        const { kind, number, values } = this.at(place);
        if (kind === "argument" || kind === "external") return `${kind} ${number}`;
        let own = numbers.get(place);
        if (own === undefined) numbers.set(place, (own = numbers.size));
        return `${kind} ${own}${values === undefined ? "" : ` {${values.join()}}`}`;
      }),
    );
  }

  #add(kind: SlotKind, source: Storage, number: number, values?: TypedArray, place?: Storage): Slot {
    const stand = place ?? new Storage(source.device, source.dtype, source.length, null);
    // Results come and go on this place; it is never theirs to free.
    stand.handles = Math.max(1, stand.handles);
    stand.owner = this;
    const slot: Slot = {
      kind,
      number,
      place: stand,
      source,
      buffer: source.buffer,
      ...(values === undefined ? {} : { values }),
    };
    this.#slots.set(source.buffer, slot);
    this.#byPlace.set(stand, slot);
    return slot;
  }
}

/** What two calls of a step did differently, in words; undefined when they did the same. */
export function firstDifference(a: StepLog, b: StepLog): string | undefined {
  const [before, after] = [a.describe(), b.describe()];
  for (let k = 0; k < Math.max(before.length, after.length); k++) {
    const [first, second] = [before[k], after[k]];
    if (first === second) continue;
    const origin = (b.kernels[k] ?? a.kernels[k])?.origin;
    const shorten = (text: string | undefined) =>
      text === undefined ? "nothing" : text.length > 300 ? `${text.slice(0, 300)}…` : text;
    return `kernel ${k} was\n  ${shorten(first)}\nand then\n  ${shorten(second)}${origin ? `\n  ${origin}` : ""}`;
  }
  return undefined;
}
