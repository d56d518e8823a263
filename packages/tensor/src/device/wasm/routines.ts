import { check } from "../cpu/check.js";
import { randomBits } from "../cpu/random-bits.js";
import type { RoutineKernel } from "../../kernel/kernel.js";
import type { Instantiate } from "./krylov-space.js";
import type { Block, LinearMemory } from "./memory.js";
import { Part } from "./part.js";

const others = new Part("sorting, indexing and decompositions", () => import("./other-routines.js"));

/** A routine bound to the numbers in linear memory, to be run in JavaScript; what every model needs is here. */
export function bindRoutine(kernel: RoutineKernel, memory: LinearMemory, instantiate: Instantiate): () => void {
  const { name } = kernel;
  const near = name === "check" ? check : name === "randomBits" ? randomBits : null;
  const routine = near ?? others.module.otherRoutine(name, memory, instantiate);
  return () => routine(kernel, (view) => memory.elements(view.storage.buffer as Block));
}
