import { codedError, type Tensor } from "@robgrad/tensor";
import { propagate, zerosFor } from "../backward.js";
import { variableOf } from "../functions/operand.js";
import { alias } from "../functions/reshape.js";
import { forwardMode, isRecording, noGrad, withGrad } from "../recording.js";
import { isVariable } from "../variable-node.js";
import { Variable } from "../variable.js";

/** A function of Variables, run once, with the way back. */
export interface Pulled {
  readonly value: Variable;
  /** Gradients in the arguments, for a gradient in the value. */
  readonly pull: (gradOutput: Variable, argumentsWanted: readonly number[]) => Variable[];
}

/**
 * Runs f on aliases of its arguments, so that only what f does with them counts. Outside `noGrad` the way back is
 * recorded too: results can be differentiated again, in the arguments and in whatever f closes over.
 */
export function pullback(
  subject: string,
  f: (...args: Variable[]) => Variable,
  args: readonly (Variable | Tensor)[],
): Pulled {
  const inputs = args.map((arg) => {
    const x = variableOf(subject, arg);
    if (x.requiresGrad) return withGrad(() => alias(x));
    const leaf = new Variable(x.value, { ...(x.name === undefined ? {} : { name: x.name }) });
    forwardMode()?.follow(x, leaf);
    return leaf;
  });
  const value = withGrad(() => f(...inputs));
  if (!isVariable(value))
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected the function to return a Variable, found ${value === null ? "null" : typeof value}`,
    );
  return {
    value,
    pull: (gradOutput, wanted) => {
      const nodes = wanted.map((k) => {
        const input = inputs[k];
        if (input === undefined)
          throw codedError("BAD_ARGUMENT", `${subject}: expected an argument in [0, ${inputs.length}), found ${k}`);
        return input.node;
      });
      const walk = () => {
        const gradients = propagate(value.node, gradOutput, new Set(nodes));
        return nodes.map((node) => gradients.get(node) ?? zerosFor(node));
      };
      return isRecording() ? walk() : noGrad(walk);
    },
  };
}
