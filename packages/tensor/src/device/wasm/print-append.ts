import { binary, integer, type Code, type FunctionBody } from "./assembler.js";
import { bytesPerElement } from "../../dtype.js";
import type { RoutineKernel, View } from "../../kernel/kernel.js";
import { sizeOf } from "../../shape.js";

const loadWord =
  (offset: number): Code =>
  (f) =>
    f.load("i32.load", { base: null, offset });

/** Writes a row at the place that a cell counts, and counts on; nothing where there is no place left. */
export function printAppend(
  f: FunctionBody,
  { inputs, outputs }: RoutineKernel,
  addressOf: (view: View) => number,
): void {
  const [row] = inputs as [View];
  const [values, place] = outputs as [View, View];
  const bytes = bytesPerElement(values.dtype) * sizeOf(row.shape);
  const at = addressOf(place);
  const [load, store, size] =
    values.dtype === "bool" ? (["i32.load8_u", "i32.store8", 1] as const) : (["i32.load", "i32.store", 4] as const);
  f.if(binary("i32.lt_u", loadWord(at), integer(values.shape[0] as number)), () => {
    f.scope(() => {
      const base = f.let("i32", binary("i32.mul", loadWord(at), integer(bytes)));
      for (let k = 0; k < bytes; k += size) {
        f.store(store, { base, offset: addressOf(values) + k }, (g) =>
          g.load(load, { base: null, offset: addressOf(row) + k }),
        );
      }
      f.store("i32.store", { base: null, offset: at }, binary("i32.add", loadWord(at), integer(1)));
    });
  });
}
