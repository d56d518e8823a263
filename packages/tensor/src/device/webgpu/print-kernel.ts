import type { Kernel } from "../../kernel/kernel.js";
import { columnStage } from "./column.js";
import { contractStages } from "./contract.js";
import { mapStages } from "./map.js";
import { reduceStages } from "./reduce.js";
import { routineStages } from "./routines.js";
import { ShaderBuilder, type PrintContext, type Shader, type Stage } from "./shader.js";
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
      return sizeOf(kernel.out.shape) === 0 ? [] : [columnStage(kernel, context)];
    case "routine":
      return routineStages(kernel, context);
    default:
      throw new Error(`device webgpu: expected a printed kernel, found ${kernel.form}`);
  }
}

/** A kernel as shaders. */
export function printKernel(kernel: Kernel, context: PrintContext): readonly Shader[] {
  return kernelStages(kernel, context).map((stage) => {
    const shader = new ShaderBuilder(stage.lanes);
    return shader.finish(stage.print(shader));
  });
}

