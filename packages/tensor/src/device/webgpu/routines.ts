import type { RoutineKernel, View } from "../../kernel/kernel.js";
import { sizeOf } from "../../shape.js";
import { argsortStages } from "./argsort.js";
import { cumsumStage } from "./cumsum.js";
import { eighStages } from "./eigh.js";
import { gatherStage, scatterAddStages } from "./indexing.js";
import { randomBitsStage } from "./random-bits.js";
import { appendStages, checkStage } from "./records.js";
import type { PrintContext, Stage } from "./shader.js";

/** The dispatches of a routine, in order; the plain loops of the cpu device say what each does. */
export function routineStages({ name, inputs, outputs, attributes }: RoutineKernel, context: PrintContext): Stage[] {
  const [first, second] = inputs as readonly [View, View];
  const [out, beside] = outputs as readonly [View, View];
  if (sizeOf(out.shape) === 0 && name !== "append") return [];
  switch (name) {
    case "argsort":
      return argsortStages(first, out, attributes["descending"] === 1, context);
    case "cumsum":
      return [cumsumStage(first, out)];
    case "gather":
      return [gatherStage(first, second, out)];
    case "scatterAdd":
      return scatterAddStages(first, second, out, context);
    case "randomBits":
      return [randomBitsStage(first, second, out, attributes["lane"] as number, attributes["shift"] as number)];
    case "eigh":
      return eighStages(first, out, beside, context);
    case "check":
      return [checkStage(first, out, attributes)];
    case "append":
      return appendStages(first, out, beside);
  }
}
