import type { MapKernel } from "../../kernel/kernel.js";
import { sizeOf } from "../../shape.js";
import { numbersFor, printFormula } from "./formula.js";
import type { Stage } from "./shader.js";
import { mergedAxes, operandText, printAddresses, stridesOf } from "./walk.js";

/** out[i] = f(operands[i]), an element an invocation. */
export function mapStages({ out, f, operands }: MapKernel): Stage[] {
  const rank = out.shape.length;
  const count = sizeOf(out.shape);
  const axes = out.shape.map((_, axis) => axis);
  const loops = mergedAxes(out.shape, axes, [out.strides, ...operands.map((operand) => stridesOf(operand, rank))]);
  return [
    {
      lanes: 64,
      loops: true,
      print: (shader) => {
        const written = shader.view(out, true);
        const read = operands.map((operand) => operandText(shader, operand));
        const number = shader.name("n");
        shader.line(
          `for (var ${number} = group * ${shader.lanes}u + lane; ${number} < ${shader.size(count)}; ${number} += groups * ${shader.lanes}u) {`,
        );
        const [to, ...from] = printAddresses(shader, loops, number, [written.offset, ...read.map((r) => r.offset)]);
        const value = printFormula(
          shader,
          f,
          (k) => read[k]?.load(from[k] as string) as never,
          numbersFor(out.dtype, operands, [f]),
        );
        shader.line(written.store(to as string, value));
        shader.line("}");
        return Math.ceil(count / shader.lanes);
      },
    },
  ];
}
