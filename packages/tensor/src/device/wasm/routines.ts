import { check } from "../cpu/check.js";
import { randomBits } from "../cpu/random-bits.js";
import type { RoutineKernel } from "../../kernel/kernel.js";
import type { Instantiate } from "./krylov-space.js";
import type { Block, LinearMemory } from "./memory.js";
import { Part } from "./part.js";

const others = new Part("sorting, indexing and decompositions", () => import("./other-routines.js"));

/** What every model needs is here. */
const routineOf = (name: RoutineKernel["name"], memory: LinearMemory, instantiate: Instantiate) =>
  name === "check" ? check : name === "randomBits" ? randomBits : others.module.otherRoutine(name, memory, instantiate);

/** A routine bound to the numbers in linear memory, to be run in JavaScript. */
export function bindRoutine(kernel: RoutineKernel, memory: LinearMemory, instantiate: Instantiate): () => void {
  const routine = routineOf(kernel.name, memory, instantiate);
  return () => routine(kernel, (view) => memory.elements(view.storage.buffer as Block));
}
