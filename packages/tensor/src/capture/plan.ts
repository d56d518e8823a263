import type { Device } from "../device/device.js";
import type { Storage } from "../storage.js";
import { viewsOf } from "../kernel/views.js";
import type { Kernel } from "../kernel/kernel.js";
import type { Slot, StepLog } from "./log.js";

/** Memory of a planned step: what it owns, to be returned when the capture ends. */
export interface Arena {
  readonly owned: readonly Storage[];
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
  const free: Storage[] = [];
  const placed = new Map<Storage, Storage>();
  kernels.forEach((kernel, k) => {
    const { reads, writes } = viewsOf(kernel);
    const touched = new Set([...writes, ...reads].map((view) => view.storage));
    for (const place of touched) {
      if (place.buffer !== null) continue;
      const fitting = free
        .filter((block) => block.dtype === place.dtype && block.length >= place.length)
        .sort((p, q) => p.length - q.length)[0];
      // A block much larger than needed is better left to something that needs it.
      if (fitting !== undefined && fitting.length <= 4 * place.length + 64) {
        free.splice(free.indexOf(fitting), 1);
        placed.set(place, fitting);
        place.buffer = fitting.buffer;
      } else {
        own(log.at(place));
        placed.set(place, owned[owned.length - 1] as Storage);
      }
    }
    for (const place of touched) {
      const block = placed.get(place);
      if (block !== undefined && lastUse.get(place) === k) free.push(block);
    }
  });
}
