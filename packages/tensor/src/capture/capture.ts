import { codedError } from "../errors.js";
import type { Device } from "../device/device.js";
import type { DeviceBuffer, Program } from "../device/executor.js";
import { isFloating, type DType } from "../dtype.js";
import { arrange, type Arranged } from "../kernel/arrange.js";
import { fuse } from "../kernel/fuse.js";
import type { Kernel } from "../kernel/kernel.js";
import { lowerColumn } from "../kernel/lower-column.js";
import { rowMajor } from "../layout.js";
import { assignInto, full } from "../ops/creation.js";
import { openDevices, tensorsIn } from "../scope.js";
import { formatShape } from "../shape.js";
import type { Storage } from "../storage.js";
import { Tensor } from "../tensor.js";
import { firstDifference, StepLog } from "./log.js";
import { planArena, type Arena } from "./plan.js";

/** An object around a tensor says with this method how to make one like it around another. */
export const rewrapped: unique symbol = Symbol.for("robgrad.rewrap");

/** A step that is replayed. */
export interface Captured<A extends readonly Tensor[], R> {
  (...args: { [K in keyof A]: A[K] | number }): R;
  /** Returns the memory of every plan; the next call starts anew. */
  dispose(): void;
}

/** The same structure with every tensor replaced; what wraps a tensor is made anew around it. */
function rebuild(value: unknown, replace: (tensor: Tensor) => Tensor): unknown {
  if (Tensor.is(value)) return replace(value);
  if (typeof value !== "object" || value === null) return value;
  if (rewrapped in value && "value" in value && Tensor.is(value.value)) {
    return (value[rewrapped] as (tensor: Tensor) => unknown)(replace(value.value));
  }
  if (Array.isArray(value)) return value.map((item) => rebuild(item, replace));
  if (value instanceof Set) return new Set([...value].map((item) => rebuild(item, replace)));
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, rebuild(item, replace)]));
  if (Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, rebuild(item, replace)]));
  }
  return value;
}

/** One logged call: what it did, and what it returned in terms of slots. */
interface Call {
  readonly log: StepLog;
  readonly result: unknown;
  readonly device: Device;
}

/** A tensor that was copied to the memory of an argument. */
interface Loaded {
  readonly buffer: DeviceBuffer;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** The kernels of a step as the device is to run them. */
function prepared(device: Device, log: StepLog, results: ReadonlySet<Storage>): Arranged {
  const kernels: readonly Kernel[] = log.kernels.map(({ kernel }) => kernel);
  if (!device.fuses) return { kernels, layoutOf: (_, layout) => layout };
  const kindOf = (place: Storage) => log.at(place).kind;
  const lowered = kernels.flatMap((kernel) =>
    kernel.form === "column"
      ? (lowerColumn(kernel, (dtype, length) => log.temporary(dtype, length)) ?? [kernel])
      : [kernel],
  );
  const fused = fuse(lowered, (place) => kindOf(place) === "temporary", results);
  return arrange(
    fused,
    (place) => !results.has(place) && (kindOf(place) === "temporary" || kindOf(place) === "argument"),
  );
}

class Replay {
  readonly #device: Device;
  readonly #log: StepLog;
  readonly #arena: Arena;
  readonly #program: Program;
  readonly #result: unknown;
  readonly #arguments: readonly Tensor[];
  readonly #layoutOf: Arranged["layoutOf"];
  /** What every argument held last. */
  readonly #seen: (Loaded | null)[];
  /** End the holds on memory that the step found: its owners may let go of it, and it is not the step's to free. */
  readonly #holds: readonly (() => void)[];
  /** Whether an owner has let go. */
  #lost = false;

  constructor({ log, result, device }: Call) {
    this.#device = device;
    this.#log = log;
    this.#result = result;
    const results = new Set([...tensorsIn(result)].map((tensor) => tensor.storage));
    const { kernels, layoutOf } = prepared(device, log, results);
    this.#layoutOf = layoutOf;
    this.#arena = planArena(device, log, kernels, results);
    try {
      this.#program = device.compile(kernels);
    } catch (error) {
      for (const storage of this.#arena.owned) device.release(storage);
      throw error;
    }
    const slots = [...log.slots];
    this.#arguments = slots
      .filter((slot) => slot.kind === "argument")
      .map(({ place }) => Tensor.unscoped(device, place, place.dtype, rowMajor([place.length])));
    this.#seen = this.#arguments.map(() => null);
    this.#holds = slots
      .filter((slot) => slot.kind === "external")
      .map(({ buffer }) => device.hold(buffer, () => (this.#lost = true)));
  }

  /** @param made  Gets the tensors of the result in place of what it holds. */
  run(args: readonly (Tensor | number)[], made: Tensor[]): unknown {
    this.#device.refuseInsideStep();
    if (this.#lost) {
      throw codedError(
        "DISPOSED",
        "capture: expected what the step uses to be alive, found it disposed; dispose the step to record it anew",
      );
    }
    for (const [cell, times] of this.#log.cells) cell.beforeReplay?.(times);
    for (let k = 0; k < args.length; k++) this.#load(args[k] as Tensor | number, k);
    for (const [cell, times] of this.#log.cells) cell.replayed(times);
    this.#program.run();
    made.length = 0;
    return rebuild(this.#result, (stand) => {
      const tensor = new Tensor(this.#device, stand.storage, stand.dtype, stand);
      made.push(tensor);
      return tensor;
    });
  }

  #load(arg: Tensor | number, k: number): void {
    const target = this.#arguments[k] as Tensor;
    if (typeof arg === "number") {
      this.#device.run({ form: "map", out: target, f: { kind: "constant", value: arg }, operands: [] });
      return;
    }
    const { storage, strides, offset } = arg.live("capture");
    if (arg.device !== this.#device) {
      throw codedError(
        "DEVICE_MISMATCH",
        `capture: expected argument ${k} on the device of the recorded step, found one on another`,
      );
    }
    // Tensors do not change, so the same memory in the same layout is already loaded, unless it is a cell's or another replay's.
    const seen = this.#seen[k];
    if (seen && seen.buffer === storage.buffer && storage.owner === null) {
      if (seen.strides === strides && seen.offset === offset) return;
    }
    const placed = this.#layoutOf(target.storage, rowMajor(arg.shape));
    const shaped = Tensor.unscoped(this.#device, target.storage, target.dtype, placed);
    assignInto(shaped, arg);
    shaped.dispose();
    this.#seen[k] = { buffer: storage.buffer, strides, offset };
  }

  dispose(): void {
    this.#program.dispose();
    for (const storage of this.#arena.owned) {
      storage.handles--;
      this.#device.release(storage);
    }
    for (const end of this.#holds) end();
  }
}

/**
 * Records what a step does and replays it: no JavaScript of the step runs again, no memory is allocated.
 *
 * The first two calls run as they are and must do the same, kernel by kernel; later calls replay. What varies between
 * calls has to be an argument, a cell or a function of cells: a JavaScript number or a host array that reaches a kernel
 * is part of the recording. Each combination of argument shapes is recorded on its own.
 *
 * @param step  Called with tensors (numbers arrive as tensors of rank 0); not async, and without reads.
 * @returns     The step: its results are valid until its next call (`copy()` keeps one), a Variable comes back detached.
 *              `dispose()` returns its memory.
 * @throws      NOT_REPLAYABLE when the second call differs from the first, naming the first difference and the line it
 *              came from, or when the step reads; BAD_ARGUMENT for arguments that are neither tensors nor numbers.
 * @example
 * const w = device.cell(device.zeros([3]));
 * const step = capture((x) => { w.assign(w.value.add(x)); return w.value.sum(); });
 * for (let t = 0; t < 5; t++) step(device.ones([3]));
 */
export function capture<A extends readonly Tensor[], R>(
  step: (...args: A) => R extends PromiseLike<unknown> ? never : R,
): Captured<A, R> {
  const calls = new Map<string, Call>();
  const replays = new Map<string, Replay>();
  const externals = new Map<DeviceBuffer, number>();
  let results: Tensor[] = [];
  /** The last replay and its arguments: the same ones need no look at their shapes. */
  let last: { readonly replay: Replay; readonly args: readonly (Tensor | number)[] } | null = null;

  const captured = (...args: readonly (Tensor | number)[]): R => {
    for (const tensor of results) tensor.dispose();
    if (last !== null && sameForms(args, last.args)) return last.replay.run(args, results) as R;
    const key = args.map(argumentKey).join(" ");
    const replay = replays.get(key);
    if (replay !== undefined) {
      last = { replay, args };
      return replay.run(args, results) as R;
    }
    const { call, value } = logged(step as (...args: readonly Tensor[]) => unknown, args, externals);
    const before = calls.get(key);
    calls.delete(key);
    if (before === undefined) calls.set(key, call);
    else {
      try {
        refuseDifference(before.log, call.log);
        replays.set(key, new Replay(call));
      } catch (error) {
        for (const tensor of tensorsIn(value)) tensor.dispose();
        throw error;
      }
    }
    results = [...tensorsIn(value)];
    return value as R;
  };
  const dispose = () => {
    last = null;
    for (const tensor of results) tensor.dispose();
    for (const replay of replays.values()) replay.dispose();
    results = [];
    calls.clear();
    replays.clear();
    externals.clear();
  };
  return Object.assign(captured, { dispose }) as unknown as Captured<A, R>;
}

/** True when arguments are the same tensors as before, and numbers where there were numbers. */
function sameForms(args: readonly (Tensor | number)[], before: readonly (Tensor | number)[]): boolean {
  if (args.length !== before.length) return false;
  for (let k = 0; k < args.length; k++) {
    if (args[k] !== before[k] && !(typeof args[k] === "number" && typeof before[k] === "number")) return false;
  }
  return true;
}

function refuseDifference(before: StepLog, after: StepLog): void {
  const difference = firstDifference(before, after);
  if (difference === undefined) return;
  throw codedError(
    "NOT_REPLAYABLE",
    `capture: expected a step to do the same at every call, found that ${difference}\nPass what varies as an argument, or keep it in a cell.`,
  );
}

function argumentKey(arg: unknown, k: number): string {
  if (typeof arg === "number") return "number";
  if (!Tensor.is(arg)) {
    throw codedError(
      "BAD_ARGUMENT",
      `capture: expected tensors and numbers, found ${arg === null ? "null" : typeof arg} as argument ${k}`,
    );
  }
  return `${arg.dtype}${formatShape(arg.shape)}`;
}

/** The device that a step works on: that of its arguments, or the only one that is open. */
function deviceOf(args: readonly (Tensor | number)[]): Device {
  const found = new Set(args.filter((arg): arg is Tensor => Tensor.is(arg)).map((arg) => arg.live("capture").device));
  const devices = [...(found.size > 0 ? found : openDevices())];
  const [device] = devices;
  if (device === undefined || devices.length > 1) {
    throw codedError(
      found.size > 1 ? "DEVICE_MISMATCH" : "BAD_ARGUMENT",
      `capture: expected a tensor argument that tells the device, found arguments on ${devices.length} devices`,
    );
  }
  return device;
}

/** A result that the step has made itself; what it was given or found is copied, so that it is the caller's alone. */
function made(log: StepLog, tensor: Tensor): Tensor {
  return log.slotOf(tensor.live("capture").storage).kind === "temporary" ? tensor : tensor.copy();
}

/** Runs a step as it is and logs it. */
function logged(
  step: (...args: readonly Tensor[]) => unknown,
  args: readonly (Tensor | number)[],
  externals: Map<DeviceBuffer, number>,
): { readonly call: Call; readonly value: unknown } {
  const device = deviceOf(args);
  const floating = args.find((arg): arg is Tensor => Tensor.is(arg) && isFloating(arg.dtype));
  const numberType: DType = floating?.dtype ?? "float32";
  // The fault cell is made when it is first asked for: it is the device's, not the step's.
  void device.faults;
  const log = new StepLog(device, externals);
  const scope = device.openScope();
  const kept = new Set<Tensor>();
  try {
    // Every argument is copied to memory of its own: that is where a replay will find it.
    const inputs = args.map((arg) =>
      typeof arg === "number" ? full(device, [], arg, { dtype: numberType }) : arg.copy(),
    );
    for (const input of inputs) log.argument(input.storage);
    const value = rebuild(
      device.observe(log, () => rebuild(step(...inputs), (tensor) => made(log, tensor))),
      (tensor) => {
        // Results outlive the scope.
        const result = tensor.live("capture");
        kept.add(result);
        return result;
      },
    );
    const promise = value as PromiseLike<unknown> | null | undefined;
    if (typeof promise?.then === "function") {
      // It fails by itself, since its tensors are disposed; the error below says so in its place.
      promise.then(undefined, () => {});
      throw codedError(
        "NOT_REPLAYABLE",
        "capture: expected a step that returns at once, found one that returns a Promise",
      );
    }
    const result = rebuild(value, (tensor) =>
      Tensor.unscoped(device, log.slotOf(tensor.storage).place, tensor.dtype, {
        shape: tensor.shape,
        strides: tensor.strides,
        offset: tensor.offset,
      }),
    );
    log.dropUnused(new Set([...tensorsIn(result)].map((tensor) => tensor.storage)));
    return { call: { log, result, device }, value };
  } finally {
    device.closeScope(scope, kept);
  }
}
