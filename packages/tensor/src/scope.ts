import type { Device } from "./device/device.js";
import { codedError } from "./errors.js";
import { Tensor } from "./tensor.js";

/** Objects that own tensors tell `tidy` which with this method. */
export const ownedTensors: unique symbol = Symbol.for("robgrad.tensors");

/** Every tensor reachable from a result: tensors, arrays, maps, sets, plain records, owners of tensors. */
export function* tensorsIn(value: unknown, seen = new Set<object>()): Generator<Tensor> {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (Tensor.is(value)) {
    yield value;
  } else if (ownedTensors in value && typeof value[ownedTensors] === "function") {
    for (const owned of (value[ownedTensors] as () => Iterable<unknown>)()) yield* tensorsIn(owned, seen);
  } else if (Array.isArray(value) || value instanceof Set) {
    for (const item of value) yield* tensorsIn(item, seen);
  } else if (value instanceof Map) {
    for (const [key, item] of value) {
      yield* tensorsIn(key, seen);
      yield* tensorsIn(item, seen);
    }
  } else if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null) {
    for (const item of Object.values(value)) yield* tensorsIn(item, seen);
  }
}

const devicesKey = Symbol.for("robgrad.devices");

/** Open devices of this process or page, shared by every copy of the package; scopes live on the devices. */
export function openDevices(): Set<Device> {
  const home = globalThis as { [devicesKey]?: Set<Device> };
  return (home[devicesKey] ??= new Set());
}

/**
 * Disposes every tensor made while `work` runs, except those in its result.
 *
 * Cells and what they hold are kept. Scopes nest. A function that returns a Promise does not type-check: the scope
 * would end before its work does.
 *
 * @param work  Called once, at once.
 * @returns     What `work` returns.
 * @throws      What `work` throws, after disposing all it made; BAD_ARGUMENT when it returns a Promise.
 * @example     const y = tidy(() => device.tensor([1, 2, 3]).mul(2).sum());
 */
export function tidy<R>(work: () => R extends PromiseLike<unknown> ? never : R): R {
  return within([...openDevices()], work as () => R);
}

/** tidy for the work of one operation, whose temporaries are all on one device. */
export function withoutTemporaries<R>(device: Device, work: () => R): R {
  return within([device], work);
}

function within<R>(devices: readonly Device[], work: () => R): R {
  const scopes = devices.map((device) => device.openScope());
  let kept = new Set<Tensor>();
  try {
    const result = work();
    if (isPromise(result)) {
      throw codedError(
        "BAD_ARGUMENT",
        "tidy: expected a result, found a Promise; read results after tidy has returned",
      );
    }
    kept = new Set(tensorsIn(result));
    return result;
  } finally {
    devices.forEach((device, k) => device.closeScope(scopes[k] as Tensor[], kept));
  }
}

function isPromise(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
