import { eighRoutine } from "../cpu/eigh.js";
import type { Routine } from "../cpu/routine.js";
import { routines } from "../cpu/routines.js";
import type { RoutineKernel } from "../../kernel/kernel.js";
import { linearSpace, type Instantiate } from "./krylov-space.js";
import type { LinearMemory } from "./memory.js";

/** Routines that few models need: those of the cpu device, products of large matrices in WebAssembly. */
export function otherRoutine(name: RoutineKernel["name"], memory: LinearMemory, instantiate: Instantiate): Routine {
  return name === "eigh" ? eighRoutine(linearSpace(memory, instantiate)) : routines[name];
}
