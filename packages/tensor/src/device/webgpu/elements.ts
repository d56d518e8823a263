import type { ShaderBuilder } from "./shader.js";

/**
 * Prints a loop in which every element of an iteration space comes up once, an invocation an element.
 *
 * @param body  Given the indices of the element along every axis, as names (u32).
 * @returns     How many workgroups there should be.
 */
export function eachElement(
  shader: ShaderBuilder,
  shape: readonly number[],
  body: (...indices: readonly string[]) => void,
): number {
  const count = shape.reduce((product, extent) => product * extent, 1);
  const number = shader.name("n");
  const { lanes } = shader;
  shader.line(
    `for (var ${number} = group * ${lanes}u + lane; ${number} < ${shader.size(count)}; ${number} += groups * ${lanes}u) {`,
  );
  const indices: string[] = [];
  let rest = number;
  for (let axis = shape.length - 1; axis > 0; axis--) {
    const extent = shader.size(shape[axis] as number);
    indices.unshift(shader.let({ type: "u32", text: `${rest} % ${extent}` }).text);
    rest = shader.let({ type: "u32", text: `${rest} / ${extent}` }).text;
  }
  if (shape.length > 0) indices.unshift(rest);
  body(...indices);
  shader.line("}");
  return Math.ceil(count / lanes);
}
