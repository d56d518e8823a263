import { mergeAxes, type Loops } from "../../kernel/access.js";
import { isIndex, type Operand, type View } from "../../kernel/kernel.js";
import type { ShaderBuilder, Value } from "./shader.js";

/** Strides in an iteration space of `rank` axes; the coordinate itself counts along its axis. */
export function stridesOf(operand: Operand, rank: number): readonly number[] {
  if (!isIndex(operand)) return operand.strides;
  return Array.from({ length: rank }, (_, axis) => Number(axis === operand.axis));
}

/** Some axes of an iteration space with what views do along them, merged where all go on as one. */
export function mergedAxes(
  shape: readonly number[],
  axes: readonly number[],
  strides: readonly (readonly number[])[],
): Loops {
  const pick = (numbers: readonly number[]) => axes.map((axis) => numbers[axis] as number);
  return mergeAxes(pick(shape), strides.map(pick));
}

/** What reads and writes the operands of a kernel at addresses that a walk has reached. */
export interface OperandText {
  /** Where a walk starts (u32). */
  readonly offset: string;
  readonly load: (address: string) => Value;
}

export function operandText(shader: ShaderBuilder, operand: Operand): OperandText {
  if (isIndex(operand)) return { offset: "0u", load: (address) => ({ type: "i32", text: `i32(${address})` }) };
  return shader.view(operand as View);
}

/**
 * Prints the addresses of the element with a number in a walk, row by row.
 *
 * @param number   Number of the element (u32), in a name.
 * @param starts   Address where each operand starts.
 * @returns        A name for the address of each operand.
 */
export function printAddresses(
  shader: ShaderBuilder,
  { extents, strides }: Loops,
  number: string,
  starts: readonly string[],
): string[] {
  const sums = [...starts];
  let rest = number;
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    let index = rest;
    if (axis > 0) {
      const extent = shader.size(extents[axis] as number);
      const quotient = shader.name("q");
      shader.line(`let ${quotient} = ${rest} / ${extent};`);
      index = shader.name("i");
      shader.line(`let ${index} = ${rest} - ${quotient} * ${extent};`);
      rest = quotient;
    }
    strides.forEach((own, k) => {
      const stride = own[axis] as number;
      // Whether it is 0 or 1 is structure; all else is not.
      if (stride !== 0) sums[k] += stride === 1 ? ` + ${index}` : ` + ${index} * ${shader.size(stride)}`;
    });
  }
  return sums.map((sum) => {
    const name = shader.name("a");
    shader.line(`let ${name} = ${sum};`);
    return name;
  });
}
