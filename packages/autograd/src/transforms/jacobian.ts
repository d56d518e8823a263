import { type Tensor } from "@robgrad/tensor";
import { zerosFor } from "../backward.js";
import { stack } from "../functions/concat.js";
import { variableOf } from "../functions/operand.js";
import { broadcastTo } from "../functions/broadcast-to.js";
import { makeVariable, type VariableNode } from "../variable-node.js";
import type { Variable } from "../variable.js";
import { pullback } from "./pullback.js";
import { pushforward } from "./pushforward.js";

/**
 * The Jacobian of a function by forward mode, as a function: one run of f, in which every node makes one tangent per
 * element of x. Cheap where x has few elements, however many f has.
 *
 *   jacobianForward(f)(x)[i, j] = ∂fᵢ/∂xⱼ,   i over the axes of f(x), j over those of x
 *
 * The result is a Variable with its history, which can be differentiated again.
 *
 * @param f  Of one Variable; returns a Variable of any shape.
 * @returns  A function of a Variable or tensor: [...f(x).shape, ...x.shape].
 * @throws   BAD_PLUGIN for a node that can be differentiated neither forward nor twice backward.
 * @see      Tutorial, §1.2: U̇ₖ = Jₖ U̇ₖ₋₁, U̇₀ = I.
 * @example  jacobianForward((x) => x.square())(device.tensor([1, 2]))
 */
export function jacobianForward(f: (x: Variable) => Variable): (x: Variable | Tensor) => Variable {
  return (at) => {
    const x = variableOf("jacobianForward", at);
    const { values, tangents } = pushforward(
      "jacobianForward",
      f,
      [x],
      units(x.node).map((unit) => [unit]),
    );
    const y = values[0] as Variable;
    return assembled(tangents[0] as readonly Variable[], y, y, x, y.shape.length);
  };
}

/**
 * The Jacobian of a function by reverse mode, as a function: one run of f, and one walk back per element of its result.
 * Cheap where f has few elements, however many x has.
 *
 *   jacobianReverse(f)(x)[i, j] = ∂fᵢ/∂xⱼ,   i over the axes of f(x), j over those of x
 *
 * The result is a Variable with its history, which can be differentiated again.
 *
 * @param f  Of one Variable; returns a Variable of any shape.
 * @returns  A function of a Variable or tensor: [...f(x).shape, ...x.shape].
 * @see      Tutorial, §1.2: Ūₖ = Ūₖ₊₁ Jₖ₊₁, Ū_K = I.
 * @example  jacobianReverse((x) => x.square())(device.tensor([1, 2]))
 */
export function jacobianReverse(f: (x: Variable) => Variable): (x: Variable | Tensor) => Variable {
  return (at) => {
    const x = variableOf("jacobianReverse", at);
    const { value, pull } = pullback("jacobianReverse", f, [x]);
    const rows = units(value.node).map((unit) => pull(unit, [0])[0] as Variable);
    return assembled(rows, x, value, x, 0);
  };
}

/** One Variable per element, 1 there and 0 elsewhere. */
function units({ device, dtype, shape }: VariableNode): Variable[] {
  const size = shape.reduce((a, b) => a * b, 1);
  const identity = device.eye(size, size, { dtype });
  return Array.from({ length: size }, (_, k) => makeVariable(identity.slice([k, k + 1]).reshape(shape)));
}

/** Parts of one shape side by side along an axis, as a Jacobian of y in x. */
function assembled(parts: readonly Variable[], part: Variable, y: Variable, x: Variable, axis: number): Variable {
  const shape = [...y.shape, ...x.shape];
  return parts.length === 0 ? broadcastTo(zerosFor(part.node), shape) : stack(parts, { axis }).reshape(shape);
}
