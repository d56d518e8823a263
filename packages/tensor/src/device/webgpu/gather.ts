import type { Kernel, View } from "../../kernel/kernel.js";
import { mapViews, viewsOf } from "../../kernel/views.js";
import { input } from "../../scalar/expression.js";
import type { Storage } from "../../storage.js";
import type { Block } from "./memory.js";
import type { PrintContext } from "./shader.js";

/**
 * A kernel that names no more buffers than a shader may: what it reads from the smallest of them is copied together
 * first.
 *
 * @param most  Buffers that it may name.
 * @returns     Copies to be run before it, and the kernel.
 */
export function withFewBuffers(
  kernel: Kernel,
  most: number,
  context: PrintContext,
): { readonly copies: readonly Kernel[]; readonly kernel: Kernel } {
  const { reads, writes } = viewsOf(kernel);
  const bufferOf = ({ storage }: View) => (storage.buffer as Block).buffer;
  const count = new Set([...reads, ...writes].map(bufferOf)).size;
  if (count <= most) return { copies: [], kernel };
  const written = new Set(writes.map(bufferOf));
  const readOnly = new Map<GPUBuffer, Set<Storage>>();
  for (const view of reads) {
    const buffer = bufferOf(view);
    if (written.has(buffer)) continue;
    const storages = readOnly.get(buffer);
    if (storages === undefined) readOnly.set(buffer, new Set([view.storage]));
    else storages.add(view.storage);
  }
  const sizeOf = (storages: ReadonlySet<Storage>) => [...storages].reduce((sum, { length }) => sum + length, 0);
  const moved = [...readOnly.values()]
    .sort((p, q) => sizeOf(p) - sizeOf(q))
    .slice(0, count - most + 1)
    .flatMap((storages) => [...storages]);
  const together = context.scratch("uint32", [sizeOf(new Set(moved))]);
  const places = new Map<Storage, View>();
  let offset = 0;
  const copies = moved.map((storage): Kernel => {
    const { dtype, length } = storage;
    const from: View = { storage, dtype, shape: [length], strides: [1], offset: 0 };
    const to: View = { ...together, dtype, shape: [length], offset };
    places.set(storage, to);
    offset += length;
    return { form: "map", out: to, f: input(0), operands: [from] };
  });
  const place = (view: View): View => {
    const to = places.get(view.storage);
    return to === undefined ? view : { ...view, storage: to.storage, offset: to.offset + view.offset };
  };
  return { copies, kernel: mapViews(kernel, place, (view) => view) };
}
