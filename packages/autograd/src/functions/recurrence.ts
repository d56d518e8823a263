import { codedError, Tensor } from "@robgrad/tensor";
import { formatShape } from "@robgrad/tensor/kernels";
import { onesFor, propagate, zerosFor } from "../backward.js";
import { place, type FunctionNode } from "../function-node.js";
import { withGrad } from "../recording.js";
import {
  isCarried,
  none,
  type CarriedSamples,
  type Claim,
  type SampleAxis,
  type SampleTracking,
} from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { makeVariable } from "../variable-node.js";
import { variableOf } from "./operand.js";
import { alias } from "./reshape.js";
import { where } from "./where.js";

/** Which steps of a sequence count, and how it is computed. */
export interface SequenceOptions {
  /** bool [B, T]: where it is false the state stays as it was, whatever x holds there. All steps count unless given. */
  readonly mask?: Tensor;
  /** One node over the whole sequence, unless false: then a graph of a few nodes for each step. */
  readonly fused?: boolean;
}

/** An operand by its name in errors. */
type Named = readonly [name: string, operand: Variable, shape: readonly (number | string)[]];

/** B, T, D and H of a sequence, after checking every operand against its shape, in which letters stand for extents. */
export function checkSequence(
  subject: string,
  operands: readonly Named[],
  mask: Tensor | undefined,
): { readonly batch: number; readonly steps: number; readonly hidden: number } {
  const listed = () =>
    [...operands.map(([name, x]) => [name, x] as const), ...(mask === undefined ? [] : [["mask", mask] as const])]
      .map(([name, x]) => `${name}: ${x.dtype} ${formatShape(x.shape)}`)
      .join(", ");
  const [, { dtype, device }] = operands[0] as Named;
  if (operands.some(([, x]) => x.dtype !== dtype)) {
    throw codedError("DTYPE_MISMATCH", `${subject}: expected operands of one dtype, found (${listed()})`);
  }
  if (mask !== undefined && !Tensor.is(mask)) {
    throw codedError("BAD_ARGUMENT", `${subject}: expected mask to be a Tensor, found ${typeof mask}`);
  }
  if (mask !== undefined && mask.dtype !== "bool") {
    throw codedError("DTYPE_MISMATCH", `${subject}: expected a bool mask, found (${listed()}); compare with 0`);
  }
  if ([...operands.map(([, x]) => x), ...(mask === undefined ? [] : [mask])].some((x) => x.device !== device)) {
    throw codedError("DEVICE_MISMATCH", `${subject}: expected operands on one device, found (${listed()})`);
  }
  const extents = new Map<string, number>();
  const check = (name: string, found: readonly number[], wanted: readonly (number | string)[]) => {
    const fits =
      found.length === wanted.length &&
      wanted.every((extent, axis) => {
        if (typeof extent === "number") return found[axis] === extent;
        // 4H stands for four times H.
        const [, factor, letter] = /^(\d*)(.+)$/.exec(extent) as unknown as [string, string, string];
        const own = (found[axis] as number) / Number(factor || 1);
        if (!extents.has(letter)) extents.set(letter, own);
        return extents.get(letter) === own;
      });
    if (fits) return;
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected ${name} of shape [${wanted.join(", ")}], found ${formatShape(found)} (${listed()})`,
    );
  };
  for (const [name, operand, shape] of operands) check(name, operand.shape, shape);
  if (mask !== undefined) check("mask", mask.shape, ["B", "T"]);
  const extent = (letter: string) => extents.get(letter) as number;
  return { batch: extent("B"), steps: extent("T"), hidden: extent("H") };
}

/** A state to start from: the one given, or zeros. */
export function initialState(
  subject: string,
  given: Variable | Tensor | undefined,
  { device, dtype, shape: [batch] }: Variable,
  hidden: number,
): Variable {
  if (given !== undefined) return variableOf(subject, given);
  return makeVariable(device.zeros([], { dtype }).broadcastTo([batch as number, hidden]));
}

/** x with zeros where the mask is false: what stands there, NaN included, reaches neither values nor gradients. */
export function withoutMasked(x: Variable, mask: Tensor | undefined): Variable {
  return mask === undefined ? x : where(mask.reshape([...mask.shape, 1]), x, 0);
}

/** Step t of [B, T, …]: [B, …]. */
export function stepOf(x: Variable, t: number): Variable {
  const [batch, , ...rest] = x.shape as [number, number, ...number[]];
  return x.slice(null, [t, t + 1]).reshape([batch, ...rest]);
}

/** Which sequences of step t count, [B, 1]. */
export function countedAt(mask: Tensor | undefined, t: number): Tensor | undefined {
  return mask?.slice(null, [t, t + 1]);
}

/** Part t of a tensor along its first axis, in the same memory. */
export function partOf(x: Tensor, t: number): Tensor {
  return x.slice([t, t + 1]).reshape(x.shape.slice(1));
}

/** [T, B, …] ↔ [B, T, …], in the same memory. */
export function exchanged(x: Tensor): Tensor {
  return x.permute([1, 0, ...x.shape.map((_, axis) => axis).slice(2)]);
}

/** [T, B, W] as rows [T·B, W]. */
export function flattened(x: Tensor): Tensor {
  const [steps, batch, width] = x.shape as [number, number, number];
  return x.reshape([steps * batch, width]);
}

/** 1 where a mask [B, T] counts and 0 elsewhere, [T, B, 1]. */
export function countsOf(mask: Tensor, dtype: "float32" | "float64"): Tensor {
  return exchanged(mask.reshape([...mask.shape, 1])).cast(dtype);
}

/**
 * Where samples lie on the outputs [B, …] of a node over sequences: on axis 0, as on those of its inputs that are
 * sequences or states. The others are parameters. Steps depend on the ones before, so samples along time are mixed.
 *
 * @param data  How many inputs, the first ones, are sequences and states.
 */
export function sequenceSamples(
  node: FunctionNode,
  states: readonly SampleAxis[],
  data: number,
  tracking: SampleTracking,
): SampleAxis {
  const known = tracking.flow.settled(states);
  if (known !== undefined) return known;
  const { inputs, outputs } = node[place];
  const claims: Claim[] = [];
  const joined: { readonly input: number; readonly state: CarriedSamples }[] = [];
  states.forEach((state, input) => {
    if (!isCarried(state)) return;
    if (input < data && state.axis === 0) claims.push({ input, axis: 0, state });
    else joined.push({ input, state });
  });
  for (const { input, state } of joined) {
    const guess = state.assumed !== undefined || inputs[input]?.requiresGrad !== true;
    const parameter = state.assumed === "copies" || state.assumed === "leaf";
    if (!guess || (claims.length === 0 && !parameter)) return { kind: "mixed", node: node.label, axis: state.axis };
    tracking.disregard(input);
  }
  const found = tracking.flow.agree(
    {
      label: node.label,
      inputs,
      states: states.map((state, input) => (joined.some((other) => other.input === input) ? none : state)),
      tracking,
      extent: (axis) => outputs[0]?.shape[axis] as number,
      extentOf: (input, axis) => (input < data ? (inputs[input]?.shape[axis] as number) : 1),
    },
    claims,
  );
  // Sequences that a layer maps are samples: the axis is more than a guess from here on.
  return isCarried(found) && found.assumed !== "copies" ? tracking.flow.assume(found, undefined) : found;
}

/**
 * Gradients in the inputs of a function by a graph of its own, which can be differentiated again: what a node whose
 * `backward` works on tensors does when its gradients will be differentiated.
 */
export function recordedGradients(
  f: (...inputs: Variable[]) => readonly Variable[],
  inputs: readonly Variable[],
  gradOutputs: readonly Variable[],
): readonly Variable[] {
  // Aliases, since one input may be made from another.
  const own = withGrad(() => inputs.map((x) => (x.requiresGrad ? alias(x) : x)));
  const inner = withGrad(() =>
    f(...own)
      .map((y, k) => y.mul(gradOutputs[k] as Variable).sum())
      .reduce((a, b) => a.add(b)),
  );
  const wanted = own.filter((x) => x.requiresGrad).map(({ node }) => node);
  const gradients = propagate(inner.node, onesFor(inner.node), new Set(wanted));
  return own.map(({ node }) => gradients.get(node) ?? zerosFor(node));
}

/** A value that is made when it is first asked for. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

/** Columns in so many equal parts, in the same memory. */
export function columnsOf(x: Tensor, count: number): Tensor[] {
  const width = (x.shape.at(-1) as number) / count;
  const lead = x.shape.slice(0, -1).map(() => null);
  return Array.from({ length: count }, (_, k) => x.slice(...lead, [k * width, (k + 1) * width]));
}

/** Of states [T + 1, B, H] those before every step, or after, in the same memory. */
export function statesOf(states: Tensor, when: "before" | "after"): Tensor {
  const steps = (states.shape[0] as number) - 1;
  return when === "before" ? states.slice([0, steps]) : states.slice([1, steps + 1]);
}
