import { runRoutine as runOnNumbers } from "../cpu/routines.js";
import type { RoutineKernel } from "../../kernel/kernel.js";
import type { Block, LinearMemory } from "./memory.js";

/** Runs a routine in JavaScript on the numbers in linear memory. */
export function runRoutine(kernel: RoutineKernel, memory: LinearMemory): void {
  runOnNumbers(kernel, (view) => memory.elements(view.storage.buffer as Block));
}
