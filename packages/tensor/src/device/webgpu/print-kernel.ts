import type { Kernel } from "../../kernel/kernel.js";
import { columnStages } from "./column.js";
import { contractStages } from "./contract.js";
import { mapStages } from "./map.js";
import { reduceStages } from "./reduce.js";
import { routineStages } from "./routines.js";
import type { PrintContext, Stage } from "./shader.js";
import { sizeOf } from "../../shape.js";

/** The dispatches of a kernel, in order; none where it writes nothing. */
export function kernelStages(kernel: Kernel, context: PrintContext): readonly Stage[] {
  switch (kernel.form) {
    case "map":
      return sizeOf(kernel.out.shape) === 0 ? [] : mapStages(kernel);
    case "reduce":
      return sizeOf(kernel.out.shape) === 0 ? [] : reduceStages(kernel, context);
    case "contract":
      return sizeOf(kernel.out.shape) === 0 ? [] : contractStages(kernel, context);
    case "column":
      return sizeOf(kernel.out.shape) === 0 ? [] : columnStages(kernel, context);
    case "routine":
      return routineStages(kernel, context);
    case "iterate":
      throw new Error("device webgpu: expected a kernel without kernels in it, found a loop");
  }
}
