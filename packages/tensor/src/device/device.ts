import { codedError, hasCode } from "../errors.js";
import { bytesPerElement, checkDType, type DType, type TypedArray } from "../dtype.js";
import type { Kernel, View } from "../kernel/kernel.js";
import { Storage } from "../storage.js";
import type { Tensor } from "../tensor.js";
import { Cell } from "../cell.js";
import { disposable } from "../disposable.js";
import { History, type HistoryOptions } from "../history.js";
import { openDevices } from "../scope.js";
import * as creation from "../ops/creation.js";
import { DeviceRandom } from "../random/device-random.js";
import type { DeviceBuffer, Executor, Program } from "./executor.js";
import { faultKinds, faultLength, FaultOrigins, type FaultKind } from "./faults.js";

/** Names that `openDevice` knows. */
export type DeviceName = "cpu" | "wasm" | "webgpu";

/** What a step does, as a device sees it. */
export interface DeviceObserver {
  allocated(storage: Storage): void;
  written(storage: Storage, values: TypedArray): void;
  ran(kernel: Kernel): void;
  assigned(cell: Cell): void;
}

/** Memory that others than its owner rely on. */
interface Hold {
  /** What to call when the owner lets go. */
  readonly holders: Set<() => void>;
  /** Its size once the owner has let go. */
  bytes: number | null;
}

const brand: unique symbol = Symbol.for("robgrad.device");

const clear = new Int32Array(faultLength);

const bytesOf = ({ dtype, length }: Storage) => bytesPerElement(dtype) * length;

/**
 * A place where tensors live and kernels run. It carries all state: scopes, memory accounts, the fault cell.
 * Made by {@link openDevice}.
 */
export class Device {
  readonly name: string;
  /** Element types it can hold. */
  readonly dtypes: readonly DType[];
  /** Names that a fault on this device refers to. @internal */
  readonly origins = new FaultOrigins();

  readonly #executor: Executor;
  readonly #memoryLimit: number;
  #live = 0;
  #peak = 0;
  #open = true;
  readonly #scopes: Tensor[][] = [];
  #recording: { readonly kernels: Kernel[]; readonly retired: Storage[] } | null = null;
  readonly #holds = new Map<DeviceBuffer, Hold>();
  readonly #registry: FinalizationRegistry<{ readonly buffer: DeviceBuffer; readonly bytes: number }>;
  #faults: Storage | null = null;
  #observer: DeviceObserver | null = null;

  /** @internal */
  constructor(executor: Executor, memoryLimit = Infinity) {
    this.name = executor.name;
    this.dtypes = executor.dtypes;
    this.#executor = executor;
    this.#memoryLimit = memoryLimit;
    this.#registry = new FinalizationRegistry(({ buffer, bytes }) => this.#free(buffer, bytes));
    Object.defineProperty(this, brand, { value: true });
    openDevices().add(this);
  }

  /** True for a device of any copy of this package. */
  static is(value: unknown): value is Device {
    return typeof value === "object" && value !== null && brand in value;
  }

  /**
   * A tensor of host values, checked at once: NaN and infinities are refused unless `allowNonFinite` is set.
   *
   * @param values   Nested arrays of numbers or booleans, one number, or a typed array with `shape`.
   * @param options  `dtype`: float32 unless given or implied by a Float64Array, Int32Array or Uint32Array;
   *                 `shape`: for flat values.
   * @throws         SHAPE_MISMATCH for ragged values or a wrong `shape`, BAD_DATA naming an element that is not finite
   *                 or no element of the dtype.
   * @example        device.tensor([[1, 2], [3, 4]]).shape
   */
  tensor(values: creation.HostValues, options?: creation.TensorOptions): Tensor {
    return creation.tensor(this, values, options);
  }

  /**
   * A tensor of zeros.
   *
   * @param options  `dtype`, float32 unless given.
   * @example  device.zeros([2, 3]).sum()
   */
  zeros(shape: readonly number[], options?: creation.DTypeOption): Tensor {
    return creation.full(this, shape, 0, options);
  }

  /**
   * A tensor of ones.
   *
   * @param options  `dtype`, float32 unless given.
   * @example  device.ones([2, 3]).sum()
   */
  ones(shape: readonly number[], options?: creation.DTypeOption): Tensor {
    return creation.full(this, shape, 1, options);
  }

  /**
   * A tensor with one value everywhere.
   *
   * @param options  `dtype`, float32 unless given.
   * @throws         BAD_ARGUMENT for a value that is no element of the dtype.
   * @example  device.full([2, 3], 0.5)
   */
  full(shape: readonly number[], value: number, options?: creation.DTypeOption): Tensor {
    return creation.full(this, shape, value, options);
  }

  /**
   * The identity matrix, [rows, columns], with ones where row equals column.
   *
   * @param columns  As many as rows unless given.
   * @param options  `dtype`, float32 unless given.
   * @example  device.eye(3)
   */
  eye(rows: number, columns: number = rows, options?: creation.DTypeOption): Tensor {
    return creation.eye(this, rows, columns, options);
  }

  /**
   * start, start + step, … below stop; `arange(n)` counts from 0.
   *
   * @param options  `start` 0, `step` 1 and `dtype` float32 unless given.
   * @throws         BAD_ARGUMENT unless they are finite and step ≠ 0, DTYPE_MISMATCH for bool.
   * @example  device.arange(5, { dtype: "int32" })
   */
  arange(stop: number, options?: creation.ArangeOptions): Tensor {
    return creation.arange(this, stop, options);
  }

  /**
   * `count` evenly spaced numbers from `start` to `stop`, both included.
   *
   * @param options  `dtype`, float32 unless given.
   * @throws         BAD_ARGUMENT unless both are finite and count ≥ 1, DTYPE_MISMATCH for bool.
   * @example  device.linspace(-1, 1, 5)
   */
  linspace(start: number, stop: number, count: number, options?: creation.DTypeOption): Tensor {
    return creation.linspace(this, start, stop, count, options);
  }

  /**
   * Fixed storage whose value can be assigned: parameters, moments, counters.
   *
   * @param initial  Copied.
   * @example        const cell = device.cell(device.zeros([3])); cell.assign(device.ones([3]));
   */
  cell(initial: Tensor): Cell {
    return new Cell(this, initial);
  }

  /**
   * Room for a curve that steps write and nobody waits for.
   *
   * @param capacity  Most values, a whole number ≥ 1.
   * @param options   `shape` of one value, [] unless given; `dtype`, float32 unless given.
   * @throws          BAD_ARGUMENT for `capacity`, SHAPE_MISMATCH or DTYPE_MISMATCH for the options, MEMORY_LIMIT.
   * @example
   * const losses = device.history(1000);
   * const step = capture((x) => losses.record(x.square().sum()));
   * for (let t = 0; t < 5; t++) step(device.full([2], t));
   * console.log(await losses.toArray()); // [0, 2, 8, 18, 32]
   */
  history(capacity: number, options?: HistoryOptions): History {
    return new History(this, capacity, options);
  }

  /**
   * A counter-based random generator; `generator(seed)` on the host draws the same bits.
   *
   * @param seed  A whole number in [0, 2⁵³).
   * @example     device.rng(0).normal([2, 3])
   */
  rng(seed: number): DeviceRandom {
    return DeviceRandom.seeded(this, seed);
  }

  /**
   * Bytes held by live tensors and cells, and the most there have been since the last `resetPeak`.
   *
   * @example  device.memory().live
   */
  memory(): { readonly live: number; readonly peak: number } {
    return { live: this.#live, peak: this.#peak };
  }

  /**
   * Starts a new measurement of `memory().peak`.
   *
   * @example  device.resetPeak()
   */
  resetPeak(): void {
    this.#peak = this.#live;
  }

  /**
   * Ends the device; using it or its tensors throws DISPOSED from then on.
   *
   * @example  const other = await openDevice("cpu"); other.dispose();
   */
  dispose(): void {
    if (!this.#open) return;
    this.#open = false;
    openDevices().delete(this);
    this.#executor.close();
  }

  /**
   * @internal Memory for `length` elements.
   *
   * @param scoped  The open scope, if there is one, will see to it: a tensor of the scope is made on it.
   */
  allocate(dtype: DType, length: number, scoped = false): Storage {
    this.#checkOpen();
    if (!this.dtypes.includes(dtype)) {
      checkDType(this.name, dtype);
      throw codedError(
        "DTYPE_MISMATCH",
        `device ${this.name}: expected one of ${this.dtypes.join(", ")}, found ${dtype}`,
      );
    }
    const bytes = bytesPerElement(dtype) * length;
    if (this.#live + bytes > this.#memoryLimit) {
      throw codedError(
        "MEMORY_LIMIT",
        `device ${this.name}: expected at most ${this.#memoryLimit} bytes in use, found ${this.#live} and a request for ${bytes}; dispose tensors or raise memoryLimit`,
      );
    }
    const storage = new Storage(this, dtype, length, this.#allocateBuffer(dtype, length, bytes));
    this.#live += bytes;
    if (this.#live > this.#peak) this.#peak = this.#live;
    storage.scoped = scoped && this.#scopes.length > 0;
    if (!storage.scoped) this.#watch(storage);
    this.#observer?.allocated(storage);
    return storage;
  }

  /** Lets the registry return the memory of a storage that becomes unreachable. */
  #watch(storage: Storage): void {
    this.#registry.register(storage, { buffer: storage.buffer, bytes: bytesOf(storage) }, storage);
  }

  #allocateBuffer(dtype: DType, length: number, bytes: number): DeviceBuffer {
    try {
      return this.#executor.allocate(dtype, length);
    } catch (cause) {
      if (hasCode(cause)) throw cause;
      throw codedError("MEMORY_LIMIT", `device ${this.name}: expected to get ${bytes} bytes, found too little memory`, {
        cause,
      });
    }
  }

  #checkOpen(): void {
    if (!this.#open) {
      throw codedError("DISPOSED", `device ${this.name}: expected an open device, found one that was disposed`);
    }
  }

  /** @internal Returns the memory of a storage that no tensor names any more. */
  release(storage: Storage): void {
    if (storage.buffer === null) return;
    if (this.#recording !== null) {
      // Recorded kernels still name it; whoever runs them returns it afterwards.
      this.#recording.retired.push(storage);
      return;
    }
    if (!storage.scoped) this.#registry.unregister(storage);
    this.#free(storage.buffer, bytesOf(storage));
    storage.buffer = null;
  }

  #free(buffer: DeviceBuffer, bytes: number): void {
    const hold = this.#holds.get(buffer);
    if (hold === undefined) {
      this.#live -= bytes;
      this.#executor.free(buffer);
      return;
    }
    hold.bytes = bytes;
    for (const lost of hold.holders) lost();
  }

  /**
   * @internal Keeps memory from being used again, whatever its owner does.
   *
   * @param lost  Called when the owner lets go of it.
   * @returns     A function that ends the hold, to be called once.
   */
  hold(buffer: DeviceBuffer, lost: () => void): () => void {
    let hold = this.#holds.get(buffer);
    if (hold === undefined) this.#holds.set(buffer, (hold = { holders: new Set(), bytes: null }));
    const { holders } = hold;
    holders.add(lost);
    return () => {
      holders.delete(lost);
      if (holders.size > 0) return;
      this.#holds.delete(buffer);
      if (hold.bytes !== null) this.#free(buffer, hold.bytes);
    };
  }

  /** @internal */
  write(storage: Storage, values: TypedArray): void {
    this.#observer?.written(storage, values);
    this.#executor.write(storage.buffer, values);
  }

  /** @internal Queues a kernel, or records it. */
  run(kernel: Kernel): void {
    this.#checkOpen();
    if (this.#recording !== null) this.#recording.kernels.push(kernel);
    else {
      this.#observer?.ran(kernel);
      this.#executor.run(kernel);
    }
  }

  /** @internal Throws while a step or a loop is recorded: a captured step, for one, cannot be part of it. */
  refuseInsideStep(
    expectation = "capture: expected a step that is not called inside another recorded one; call the function it was made of",
  ): void {
    if (this.#observer === null && this.#recording === null) return;
    throw codedError("BAD_ARGUMENT", expectation);
  }

  /** @internal Stands for the present recording of a step; null outside of one. */
  get observation(): object | null {
    return this.#observer;
  }

  /** @internal Tells `observer` what `work` does on this device. */
  observe<R>(observer: DeviceObserver, work: () => R): R {
    this.refuseInsideStep();
    this.#observer = observer;
    try {
      return work();
    } finally {
      this.#observer = null;
    }
  }

  /**
   * @internal Runs `work` as if it had happened before the step that is being observed: state that a step makes at its
   * first call.
   */
  beforeStep<R>(work: () => R): R {
    const observer = this.#observer;
    this.#observer = null;
    try {
      return work();
    } finally {
      this.#observer = observer;
    }
  }

  /** @internal */
  assigned(cell: Cell): void {
    this.#observer?.assigned(cell);
  }

  /** @internal Whether neighbouring kernels of a recorded step may become one. */
  get fuses(): boolean {
    return this.#executor.fuses;
  }

  /** @internal Kernels bound to their memory. */
  compile(kernels: readonly Kernel[]): Program {
    return this.#executor.compile(kernels);
  }

  /** @internal True while kernels are recorded instead of run. */
  get recording(): boolean {
    return this.#recording !== null;
  }

  /**
   * @internal The kernels that `work` asks for, not run, and the storages it let go of, which the caller releases
   * once the kernels have run. If `work` throws, the storages are released at once.
   */
  record<R>(work: () => R): {
    readonly kernels: readonly Kernel[];
    readonly retired: readonly Storage[];
    readonly result: R;
  } {
    const outer = this.#recording;
    const recording = { kernels: [] as Kernel[], retired: [] as Storage[] };
    this.#recording = recording;
    try {
      return { ...recording, result: work() };
    } catch (error) {
      this.#recording = outer;
      for (const storage of recording.retired) this.release(storage);
      throw error;
    } finally {
      this.#recording = outer;
    }
  }

  /** @internal Exchanges the memory of two storages of equal size. */
  exchange(a: Storage, b: Storage): void {
    [a.buffer, b.buffer] = [b.buffer, a.buffer];
    for (const storage of [a, b]) {
      if (storage.scoped) continue;
      this.#registry.unregister(storage);
      this.#watch(storage);
    }
  }

  /**
   * @internal Snapshot of a row-major view, queued now. Rejects with BAD_DATA if a kernel queued before has found a
   * fault; this one read reports it, kernels queued later start with a clear fault cell.
   */
  async read(view: View, length: number): Promise<TypedArray> {
    if (this.#recording !== null || this.#observer !== null) {
      throw codedError(
        "NOT_REPLAYABLE",
        "read: expected no read while a step is recorded; return the tensor and read it outside",
      );
    }
    this.#checkOpen();
    const values = this.#executor.read(view.storage.buffer, view.offset, length);
    if (this.#faults === null) return values;
    const { buffer } = this.#faults;
    const found = this.#executor.read(buffer, 0, faultLength);
    this.#executor.write(buffer, clear);
    const [elements, fault] = await Promise.all([values, found]);
    if (fault[0] !== 0) throw this.origins.error(fault);
    return elements;
  }

  /** @internal The fault cell: int32 [4] of code, node, parameter, index; all zero while nothing is wrong. */
  get faults(): View {
    if (this.#faults === null) {
      // It lives as long as the device and is on nobody's account.
      const buffer = this.#executor.allocate("int32", faultLength);
      this.#executor.write(buffer, clear);
      this.#faults = new Storage(this, "int32", faultLength, buffer);
      // The device's own handle: whoever holds the cell for a while never holds it last.
      this.#faults.handles = 1;
    }
    return { storage: this.#faults, dtype: "int32", shape: [faultLength], strides: [1], offset: 0 };
  }

  /** @internal The number of a fault kind in the fault cell. */
  faultCode(kind: FaultKind): number {
    return faultKinds.indexOf(kind) + 1;
  }

  /** @internal Tensors made from now on are listed until the scope is closed. */
  openScope(): Tensor[] {
    const scope: Tensor[] = [];
    this.#scopes.push(scope);
    return scope;
  }

  /** @internal Disposes the tensors of a scope, except `kept`, which pass to the scope around it. */
  closeScope(scope: Tensor[], kept: ReadonlySet<Tensor>): void {
    const at = this.#scopes.lastIndexOf(scope);
    if (at >= 0) this.#scopes.splice(at, 1);
    const outer = this.#scopes[this.#scopes.length - 1];
    for (const tensor of scope) {
      const stays = kept.has(tensor);
      if (!stays) tensor.dispose();
      const { storage } = tensor;
      if (outer !== undefined) {
        if (stays) outer.push(tensor);
      } else if (storage.scoped && storage.buffer !== null) {
        // Still in use, and no scope is left that would end it.
        storage.scoped = false;
        this.#watch(storage);
      }
    }
  }

  /** @internal */
  adopt(tensor: Tensor): void {
    this.#scopes[this.#scopes.length - 1]?.push(tensor);
  }

  static {
    disposable(this);
  }
}

export interface Device extends Disposable {}
