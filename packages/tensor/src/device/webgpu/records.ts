import type { RoutineKernel, View } from "../../kernel/kernel.js";
import { sizeOf } from "../../shape.js";
import { noFault } from "../faults.js";
import { eachElement } from "./elements.js";
import { convert, type Stage } from "./shader.js";

/** first int32 [1] → the fault cell, when it names an element and no fault is set yet. */
export function checkStage(first: View, cell: View, attributes: RoutineKernel["attributes"]): Stage {
  return {
    lanes: 32,
    loops: true,
    print: (shader) => {
      const [source, target] = [shader.view(first), shader.view(cell, true)];
      const value = { type: "i32", text: shader.let(source.load(source.offset)).text } as const;
      const numbers = ["code", "node", "parameter"].map((name) => shader.constant(attributes[name] as number, "i32"));
      const at = (place: number) => `${target.offset} + ${place}u`;
      const unset = `${convert(target.load(at(0)), "i32")} == 0`;
      shader.line(`if (group == 0u && lane == 0u && ${value.text} != ${noFault} && ${unset}) {`);
      [...numbers, value].forEach((number, place) => shader.line(target.store(at(place), number)));
      shader.line("}");
      return 1;
    },
  };
}

/** x [...], place int32 [] → values [capacity, ...], in place: values[place] = x, place + 1; nothing when it is full. */
export function appendStages(x: View, values: View, place: View): Stage[] {
  const capacity = values.shape[0] as number;
  const write: Stage = {
    lanes: 64,
    loops: true,
    print: (shader) => {
      const [source, target, next] = [shader.view(x), shader.view(values, true), shader.view(place)];
      const row = shader.let({ type: "u32", text: convert(next.load(next.offset), "u32") }).text;
      return eachElement(shader, x.shape, (...at) => {
        shader.line(`if (${row} < ${shader.size(capacity)}) {`);
        shader.line(target.store(target.at(row, ...at), shader.let(source.load(source.at(...at)))));
        shader.line("}");
      });
    },
  };
  const advance: Stage = {
    lanes: 32,
    loops: true,
    print: (shader) => {
      const next = shader.view(place, true);
      const row = shader.let({ type: "u32", text: convert(next.load(next.offset), "u32") }).text;
      shader.line(`if (group == 0u && lane == 0u && ${row} < ${shader.size(capacity)}) {`);
      shader.line(next.store(next.offset, { type: "u32", text: `(${row} + 1u)` }));
      shader.line("}");
      return 1;
    },
  };
  return sizeOf(x.shape) === 0 ? [advance] : [write, advance];
}
