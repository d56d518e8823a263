import { codedError, type Tensor } from "@robgrad/tensor";
import { checkGradient } from "../function-node.js";
import { TangentSweep } from "../forward-mode.js";
import { zerosFor } from "../backward.js";
import { variableOf } from "../functions/operand.js";
import { alias } from "../functions/reshape.js";
import { withForward } from "../recording.js";
import { isVariable } from "../variable-node.js";
import type { Variable } from "../variable.js";

/** What a function of Variables returns: one, or a list of them. */
export type Outputs = Variable | readonly Variable[];

/** Values of a function with their tangents, [output][direction]. */
export interface Pushed<Y extends Outputs> {
  readonly returned: Y;
  readonly values: readonly Variable[];
  readonly tangents: readonly (readonly Variable[])[];
}

/**
 * Runs f once on aliases of its arguments, with tangents along any number of directions beside it.
 *
 * @param directions  For every direction one tangent per argument; null for a tangent of zeros.
 */
export function pushforward<Y extends Outputs>(
  subject: string,
  f: (...args: Variable[]) => Y,
  args: readonly (Variable | Tensor)[],
  directions: readonly (readonly (Variable | Tensor | null)[])[],
): Pushed<Y> {
  const sweep = new TangentSweep(directions.length);
  const inputs = args.map((arg, k) => {
    const x = variableOf(subject, arg);
    const tangents = directions.map((tangents) => {
      const given = tangents[k] ?? null;
      if (given === null) return null;
      const tangent = variableOf(subject, given);
      checkGradient(subject, tangent, x.node, "a tangent");
      return tangent;
    });
    const input = alias(x);
    input.name = x.name;
    if (tangents.some((tangent) => tangent !== null)) sweep.start(input, tangents);
    return input;
  });
  const returned = withForward(sweep, () => f(...inputs));
  const values = isVariable(returned) ? [returned] : Array.isArray(returned) ? (returned as readonly Variable[]) : [];
  if (values.length === 0 || !values.every(isVariable)) {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected the function to return a Variable or a list of them, found ${returned === null ? "null" : typeof returned}`,
    );
  }
  return {
    returned,
    values,
    tangents: values.map((value) => sweep.tangentsOf(value).map((tangent) => tangent ?? zerosFor(value.node))),
  };
}
