import type { Normalized } from "../../scalar/expression.js";
import { operation } from "../../scalar/operations.js";

/** How the results of integer operations wrap: not at all for floats and bools. */
export type Arithmetic = "floating" | "int32" | "uint32";

/**
 * Prints a formula as JavaScript: a `const` statement for every inner operation, then one expression.
 *
 * @param names   Text for each input.
 * @param prefix  Start of the names it may declare.
 */
export function printFormula(
  { nodes }: Normalized,
  names: (index: number) => string,
  constants: (slot: number) => string,
  arithmetic: Arithmetic,
  prefix: string,
): { readonly statements: string; readonly value: string } {
  const text: string[] = [];
  let statements = "";
  nodes.forEach((node, i) => {
    if (node.kind === "input") text.push(names(node.index));
    else if (node.kind === "slot") text.push(constants(node.slot));
    else {
      const { js, jsInteger } = operation(node.operation);
      const args = node.arguments.map((k) => text[k] as string);
      const wraps = arithmetic !== "floating" && jsInteger !== undefined;
      const body = wraps
        ? `(${jsInteger.print(...args)} ${arithmetic === "int32" ? "|" : ">>>"} 0)`
        : js.print(...args);
      // Named, because bodies such as remainder repeat their operands; engines fold single uses away.
      if (i < nodes.length - 1) {
        const name = `${prefix}${i}`;
        statements += `const ${name} = ${body};`;
        text.push(name);
      } else text.push(body);
    }
  });
  return { statements, value: text[nodes.length - 1] as string };
}
