import { codedError } from "./errors.js";
import { Tensor, type Nested } from "./tensor.js";

/** Anything with a tensor inside, such as a Variable. */
export interface HasTensor {
  readonly value: Tensor;
}

export type Readable = Tensor | HasTensor | null | undefined;

type Read<T> = T extends null | undefined ? T : Nested;

/**
 * Reads several tensors at one point in time: every snapshot is queued at the call.
 *
 * @param record  Tensors and Variables by name; null and undefined pass through.
 * @returns       The same names with nested arrays, numbers for rank 0.
 * @throws        Rejects with BAD_DATA when a kernel found a fault; BAD_ARGUMENT for anything else in the record.
 * @example       const { total } = await read({ total: device.tensor([1, 2, 3]).sum() });
 */
export async function read<R extends Readonly<Record<string, Readable>>>(
  record: R,
): Promise<{ [K in keyof R]: Read<R[K]> }> {
  // All are checked before any is read: a read that reports a fault clears it.
  const entries = Object.entries(record).map(([name, entry]) => {
    if (entry === null || entry === undefined) return [name, entry] as const;
    // What is around a cell hands out a tensor that a cell need not step aside for.
    const { current } = entry as { readonly current?: unknown };
    const tensor = Tensor.is(entry) ? entry : Tensor.is(current) ? current : (entry as Partial<HasTensor>).value;
    if (!Tensor.is(tensor)) {
      throw codedError("BAD_ARGUMENT", `read: expected tensors or Variables, found ${typeof entry} under "${name}"`);
    }
    return [name, tensor.live("read")] as const;
  });
  const pending = entries.map(async ([name, tensor]) => [name, tensor && (await tensor.toArray())] as const);
  return Object.fromEntries(await Promise.all(pending)) as { [K in keyof R]: Read<R[K]> };
}
