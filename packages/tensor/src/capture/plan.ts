import type { Device } from "../device/device.js";
import type { DType } from "../dtype.js";
import type { Storage } from "../storage.js";
import { viewsOf } from "../kernel/views.js";
import type { Kernel } from "../kernel/kernel.js";
import type { Slot, StepLog } from "./log.js";

/** Memory of a planned step: what it owns, to be returned when the capture ends. */
export interface Arena {
  readonly owned: readonly Storage[];
}

/** Memory of temporaries that follow each other; as long as the longest of them. */
interface SharedBlock {
  readonly dtype: DType;
  length: number;
  readonly places: Storage[];
}

/**
 * Gives every slot of a logged step its memory. Temporaries whose lives do not overlap share; arguments, constants and
 * results have memory of their own; what existed before stays where it is.
 *
 * @param results  Places that must survive the step.
 */
export function planArena(
  device: Device,
  log: StepLog,
  kernels: readonly Kernel[],
  results: ReadonlySet<Storage>,
): Arena {
  const owned: Storage[] = [];
  try {
    place(device, log, kernels, results, owned);
  } catch (error) {
    for (const block of owned) device.release(block);
    throw error;
  }
  return { owned };
}

function place(
  device: Device,
  log: StepLog,
  kernels: readonly Kernel[],
  results: ReadonlySet<Storage>,
  owned: Storage[],
): void {
  const own = (slot: Slot): void => {
    const block = device.allocate(slot.place.dtype, slot.place.length);
    block.handles++;
    owned.push(block);
    slot.place.buffer = block.buffer;
    if (slot.values !== undefined) device.write(block, slot.values);
  };
  const lastUse = new Map<Storage, number>();
  kernels.forEach((kernel, k) => {
    const { reads, writes } = viewsOf(kernel);
    for (const view of [...reads, ...writes]) lastUse.set(view.storage, k);
  });
  for (const slot of log.slots) {
    if (slot.kind === "external") {
      slot.place.buffer = slot.buffer;
    } else if (slot.kind === "argument" || slot.kind === "constant" || results.has(slot.place)) {
      if (slot.kind === "argument" || lastUse.has(slot.place) || results.has(slot.place)) own(slot);
    }
  }
  const shared: SharedBlock[] = [];
  const free: SharedBlock[] = [];
  const placed = new Map<Storage, SharedBlock>();
  kernels.forEach((kernel, k) => {
    const { reads, writes } = viewsOf(kernel);
    const touched = new Set([...writes, ...reads].map((view) => view.storage));
    for (const place of touched) {
      if (place.buffer !== null || placed.has(place)) continue;
      const alike = free.filter(({ dtype }) => dtype === place.dtype).sort((p, q) => p.length - q.length);
      // A block much larger than needed is better left to something that needs it; one too small grows.
      const most = 4 * place.length + 64;
      const fitting =
        alike.find(({ length }) => length >= place.length && length <= most) ??
        alike.filter(({ length }) => length < place.length).at(-1);
      if (fitting === undefined) {
        const block = { dtype: place.dtype, length: place.length, places: [place] };
        shared.push(block);
        placed.set(place, block);
      } else {
        free.splice(free.indexOf(fitting), 1);
        fitting.length = Math.max(fitting.length, place.length);
        fitting.places.push(place);
        placed.set(place, fitting);
      }
    }
    for (const place of touched) {
      const block = placed.get(place);
      if (block !== undefined && lastUse.get(place) === k) free.push(block);
    }
  });
  for (const { dtype, length, places } of shared) {
    const block = device.allocate(dtype, length);
    block.handles++;
    owned.push(block);
    for (const place of places) place.buffer = block.buffer;
  }
}
