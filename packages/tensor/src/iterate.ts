import { codedError } from "./errors.js";
import { contiguous } from "./ops/creation.js";
import { fuse } from "./kernel/fuse.js";
import { tensorsOf } from "./ops/elementwise.js";
import { formatShape, sameShape } from "./shape.js";
import type { Storage } from "./storage.js";
import { Tensor } from "./tensor.js";

type State = Tensor | readonly Tensor[];

/**
 * A loop on the device: state ← step(state) until a test holds or `maximum` turns are done.
 *
 * `step` and `until` run once, to record their kernels; the loop then runs without returning to JavaScript.
 *
 * @param state    A tensor or a list of them: where the loop starts. Not changed.
 * @param step     Makes the next state, with the same shapes and dtypes.
 * @param options  `maximum` turns ≥ 1; `until(next, previous)`, a bool tensor of one element that ends the loop.
 * @returns        The last state.
 * @throws         SHAPE_MISMATCH or DTYPE_MISMATCH when a step changes its state's form, BAD_ARGUMENT for `maximum`.
 * @example        iterate(device.tensor([2]), (x) => x.add(device.tensor([2]).div(x)).mul(0.5), { maximum: 20 })
 */
export function iterate<S extends State>(
  state: S,
  step: (state: S) => S,
  { maximum, until }: { readonly maximum: number; readonly until?: (next: S, previous: S) => Tensor },
): S {
  if (!Number.isInteger(maximum) || maximum < 1) {
    throw codedError("BAD_ARGUMENT", `iterate: expected maximum to be a whole number ≥ 1, found ${maximum}`);
  }
  const initial = listOf("state", state);
  const [{ device }] = tensorsOf("iterate", initial);
  const wrap = (tensors: readonly Tensor[]) => (Tensor.is(state) ? tensors[0] : tensors) as S;
  const current = initial.map((x) => x.copy());
  // What the loop allocates is its own: gone when it is over.
  const scope = device.openScope();
  let kept: ReadonlySet<Tensor> = new Set();
  try {
    const { kernels, retired, result } = device.record(() => {
      const next = listOf("the step's result", step(wrap(current)));
      tensorsOf("iterate", next);
      checkForm(current, next);
      const dense = next.map(contiguous).map((x) => (sharesMemory(x, current) ? x.copy() : x));
      const stop = until === undefined ? null : until(wrap(dense), wrap(current));
      if (stop !== null) checkStop(stop);
      return { dense, stop };
    });
    const looked = new Set([...result.dense, ...(result.stop === null ? [] : [result.stop])].map((x) => x.storage));
    device.run({
      form: "iterate",
      body: device.fuses ? fuse(kernels, ownedBy(scope, retired), looked) : kernels,
      copies: result.dense.map((from, k) => ({ from, to: current[k] as Tensor })),
      until: result.stop,
      maximum,
    });
    for (const storage of retired) device.release(storage);
    kept = new Set(current);
  } finally {
    device.closeScope(scope, new Set());
    for (const x of current) if (!kept.has(x)) x.dispose();
  }
  return wrap(current);
}

/** Whether a storage is held by tensors of a scope alone, or was let go of in it. */
function ownedBy(scope: readonly Tensor[], retired: readonly Storage[]): (storage: Storage) => boolean {
  const held = new Map<Storage, number>(retired.map((storage) => [storage, 0]));
  for (const { storage, disposed } of scope) if (!disposed) held.set(storage, (held.get(storage) ?? 0) + 1);
  return (storage) => held.get(storage) === storage.handles;
}

function listOf(subject: string, value: State): readonly Tensor[] {
  if (Tensor.is(value)) return [value];
  if (Array.isArray(value) && value.length > 0) return value as readonly Tensor[];
  throw codedError("BAD_ARGUMENT", `iterate: expected ${subject} to be a tensor or a list of tensors`);
}

function checkStop(stop: unknown): void {
  if (!Tensor.is(stop)) throw codedError("BAD_ARGUMENT", "iterate: expected until to return a tensor");
  if (stop.live("iterate").dtype !== "bool") {
    throw codedError("DTYPE_MISMATCH", `iterate: expected until to return a bool tensor, found ${stop.dtype}`);
  }
  if (stop.size !== 1) {
    throw codedError(
      "SHAPE_MISMATCH",
      `iterate: expected until to return one element, found ${formatShape(stop.shape)}`,
    );
  }
}

function sharesMemory(x: Tensor, others: readonly Tensor[]): boolean {
  return others.some((other) => other.storage === x.storage);
}

function checkForm(current: readonly Tensor[], next: readonly Tensor[]): void {
  if (next.length > current.length) {
    throw codedError(
      "SHAPE_MISMATCH",
      `iterate: expected the step to return ${current.length} tensors, found ${next.length}`,
    );
  }
  current.forEach((x, k) => {
    const y = next[k];
    if (y === undefined || !sameShape(x.shape, y.shape)) {
      throw codedError(
        "SHAPE_MISMATCH",
        `iterate: expected the step to keep state ${k} at ${formatShape(x.shape)}, found ${y === undefined ? "nothing" : formatShape(y.shape)}`,
      );
    }
    if (x.dtype !== y.dtype)
      throw codedError(
        "DTYPE_MISMATCH",
        `iterate: expected the step to keep state ${k} at ${x.dtype}, found ${y.dtype}`,
      );
  });
}
