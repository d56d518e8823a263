import { bodyFunctions } from "../../scalar/operations.js";
import type { ImportedFunction } from "./assembler.js";
import type { LinearMemory } from "./memory.js";

/** What modules import from JavaScript. */
const hostFunctions: Record<ImportedFunction, (...args: never[]) => number> = {
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  pow: Math.pow,
  remainder: bodyFunctions.remainder,
};

/** Compiles a module and links it to a memory. */
export function instantiate({ memory }: LinearMemory, bytes: Uint8Array<ArrayBuffer>): WebAssembly.Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { host: { memory, ...hostFunctions } }).exports;
}
