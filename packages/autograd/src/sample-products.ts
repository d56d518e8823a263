import { expanded, outer, type Tensor } from "@robgrad/tensor";
import { place, type FunctionNode } from "./function-node.js";
import {
  agree,
  bySample,
  isCarried,
  mixedAlong,
  none,
  settled,
  type CarriedSamples,
  type Claim,
  type SampleAxis,
  type SampleTracking,
} from "./sample-axis.js";

/** Rows Σₜ lₙₜ ⊗ rₙₜ of shape [L, R] from [.., L] and [.., R] with the samples on one of the leading axes. */
export function productRows(left: Tensor, right: Tensor, state: CarriedSamples, samples: number) {
  if (left.shape.length === 2 && right.shape.length === 2 && state.kind === "axis") return outer(left, right);
  const flat = (x: Tensor) => {
    const grouped = bySample(x, state, samples);
    const { shape } = grouped;
    const steps = shape.slice(1, -1).reduce((a, b) => a * b, 1);
    return grouped.reshape([samples, steps, shape[shape.length - 1] as number]);
  };
  return expanded(flat(left), flat(right));
}

/**
 * Where samples lie on a product of matrices. Axes that are not contracted meet as in any broadcast; a contraction over
 * samples mixes them. A constant that claims the contracted axis by its length alone is not believed when the other
 * operand has its samples elsewhere.
 *
 * @param contracted  The contracted axis of an operand, given its rank.
 */
export function productSamples(
  label: string,
  states: readonly SampleAxis[],
  node: FunctionNode,
  tracking: SampleTracking,
  contracted: (input: number, rank: number) => number,
): SampleAxis {
  const known = settled(states);
  if (known !== undefined) return known;
  const { inputs, outputs } = node[place];
  const shape = outputs[0]?.shape ?? [];
  const rank = shape.length;
  const claims: Claim[] = [];
  const joined: { readonly input: number; readonly state: CarriedSamples }[] = [];
  states.forEach((state, input) => {
    if (!isCarried(state)) return;
    const own = inputs[input]?.shape.length as number;
    const axis = outputAxis(input, state.axis, own, rank, contracted(input, own));
    if (axis === undefined) joined.push({ input, state });
    else claims.push({ input, axis, state });
  });
  let remaining = states;
  for (const { input, state } of joined) {
    const guess = state.assumed !== undefined || inputs[input]?.requiresGrad !== true;
    const elsewhere = claims.some((claim) => claim.input !== input);
    if (!guess || (!elsewhere && state.assumed !== "copies" && state.assumed !== "leaf"))
      return mixedAlong(label, state);
    tracking.disregard(input);
    remaining = remaining.map((other, k) => (k === input ? none : other));
  }
  return agree(
    {
      label,
      inputs,
      states: remaining,
      tracking,
      extent: (axis) => shape[axis] as number,
      extentOf: (input, axis) => {
        const own = inputs[input]?.shape ?? [];
        const from = own.findIndex(
          (_, k) => outputAxis(input, k, own.length, rank, contracted(input, own.length)) === axis,
        );
        return from < 0 ? 1 : (own[from] as number);
      },
    },
    claims,
  );
}

/** The axis of the product on which an operand's axis lies; undefined for the contracted one. */
function outputAxis(input: number, axis: number, own: number, rank: number, contracted: number): number | undefined {
  if (axis === contracted) return undefined;
  return input > 0 && axis >= own - 2 ? rank - 1 : rank - own + axis;
}
