import { concat, type Tensor } from "@robgrad/tensor";
import { meetScattered, reduceScattered, scatter, settle, type ScatteredSamples } from "./scattered-samples.js";
import type { SampleFlow } from "./sample-flow.js";
import type { VariableNode } from "./variable-node.js";

/**
 * Why an axis is only taken to carry samples; such an axis yields to any other. `length`: a constant or indices of
 * length N met a parameter element by element · `leaf`: a Variable of length N that is not asked for, data or another
 * parameter · `copies`: a parameter was repeated N times along it.
 */
export type Assumption = "length" | "leaf" | "copies";

/** An axis along which samples lie. */
export type CarriedSamples =
  /** Index n belongs to sample n. */
  | { readonly kind: "axis"; readonly axis: number; readonly assumed?: Assumption }
  /** Index n·inner + t belongs to sample n: [N, T, D] seen as [N·T, D]. */
  | {
      readonly kind: "folded";
      readonly axis: number;
      readonly samples: number;
      readonly inner: number;
      readonly assumed?: Assumption;
    }
  /** Index i belongs to sample samples[i], or to none where that is −1. */
  | { readonly kind: "labelled"; readonly axis: number; readonly samples: Int32Array; readonly assumed?: Assumption };

/**
 * Where the samples of a batch lie in a Variable.
 *
 * `scattered`: its elements belong to samples one by one, as after a reshape that tears samples apart ·
 * `single`: all of it belongs to one sample · `none`: it depends on no sample · `unknown`: a node did not say ·
 * `mixed`: something in it depends on several samples, since `node` joined them along `axis`.
 */
export type SampleAxis =
  | CarriedSamples
  | ScatteredSamples
  | { readonly kind: "single"; readonly sample: number }
  | { readonly kind: "none" }
  | { readonly kind: "unknown" }
  | { readonly kind: "mixed"; readonly node: string; readonly axis: number };

/** What a node may ask and say while samples are tracked through it. */
export interface SampleTracking {
  /** N */
  readonly samples: number;
  /** Says that an input counts as one that carries no samples: what looked like its sample axis is not one. */
  disregard(input: number): void;
  /** @internal How samples pass through operations. */
  readonly flow: SampleFlow;
}

/** Where samples lie around a node whose per-sample gradients are asked for. */
export interface SampleContext {
  /** N */
  readonly samples: number;
  readonly inputs: readonly SampleAxis[];
  /** Outputs that carry samples; `none` for those whose indices cannot be told apart. */
  readonly outputs: readonly SampleAxis[];
  /** @internal How rows are made. */
  readonly flow: SampleFlow;
}

export const none: SampleAxis = { kind: "none" };
export const unknown: SampleAxis = { kind: "unknown" };

const axes: CarriedSamples[] = [];

export function onAxis(axis: number): CarriedSamples {
  return (axes[axis] ??= { kind: "axis", axis });
}

export function isCarried(state: SampleAxis | undefined): state is CarriedSamples {
  return state !== undefined && (state.kind === "axis" || state.kind === "folded" || state.kind === "labelled");
}

/** The state after samples have met along an axis; what may just as well be a parameter carries none after all. */
export function mixedAlong(node: string, state: CarriedSamples): SampleAxis {
  return state.assumed === "copies" || state.assumed === "leaf" ? none : { kind: "mixed", node, axis: state.axis };
}

export function moveTo(state: CarriedSamples, axis: number): CarriedSamples {
  if (state.axis === axis) return state;
  return state.kind === "axis" && state.assumed === undefined ? onAxis(axis) : { ...state, axis };
}

/** What settles the result of any node at once: mixed, or unknown, or that no input depends on a sample. */
export function settled(states: readonly SampleAxis[]): SampleAxis | undefined {
  let result: SampleAxis | undefined = none;
  for (const state of states) {
    if (state.kind === "mixed") return state;
    if (state.kind === "unknown" || state.kind === "scattered") result = unknown;
    else if (state.kind !== "none" && result?.kind === "none") result = undefined;
  }
  return result;
}

/** The sample of every index. */
function labelsOf(state: CarriedSamples, samples: number): Int32Array {
  switch (state.kind) {
    case "axis":
      return Int32Array.from({ length: samples }, (_, n) => n);
    case "folded":
      return Int32Array.from({ length: samples * state.inner }, (_, i) => Math.floor(i / state.inner));
    case "labelled":
      return state.samples;
  }
}

/** The plainest state with these labels. */
export function withLabels(axis: number, labels: Int32Array, samples: number, assumed?: Assumption): CarriedSamples {
  const flag = assumed === undefined ? {} : { assumed };
  const inner = labels.length / samples;
  if (Number.isInteger(inner) && inner > 0 && labels.every((n, i) => n === Math.floor(i / inner))) {
    return inner === 1 ? { kind: "axis", axis, ...flag } : { kind: "folded", axis, samples, inner, ...flag };
  }
  return { kind: "labelled", axis, samples: labels, ...flag };
}

/** Whether every index belongs to a sample, so that gradients in it have one too. */
export function isAttributable(state: SampleAxis): state is CarriedSamples {
  return isCarried(state) && (state.kind !== "labelled" || !state.samples.includes(-1));
}

/** Labels that two operands give the same indices; undefined where they name two samples. −1 gives way. */
function join(a: Int32Array, b: Int32Array): Int32Array | undefined {
  const joined = new Int32Array(a.length);
  for (let i = 0; i < a.length; i++) {
    const [p, q] = [a[i] as number, b[i] as number];
    if (p !== q && p !== -1 && q !== -1) return undefined;
    joined[i] = p === -1 ? q : p;
  }
  return joined;
}

function sameKind(a: CarriedSamples, b: CarriedSamples): boolean {
  return a.kind === b.kind && a.kind !== "labelled" && (a.kind === "axis" || a.inner === (b as typeof a).inner);
}

/** One operand's claim that samples lie on an axis of the result. */
export interface Claim {
  readonly input: number;
  /** In the result. */
  readonly axis: number;
  readonly state: CarriedSamples;
}

/** How an operand meets an axis of the result. */
export interface Alignment {
  readonly label: string;
  readonly inputs: readonly VariableNode[];
  readonly states: readonly SampleAxis[];
  readonly tracking: SampleTracking;
  /** Extent of the result along an axis. */
  readonly extent: (axis: number) => number;
  /** Extent of an operand along an axis of the result, 1 where it has none. */
  readonly extentOf: (input: number, axis: number) => number;
}

/** How much a claim is worth: a bare constant's is a guess by its length, a parameter's own axis is certainly none. */
function weight(state: SampleAxis, node: VariableNode): number {
  if (!node.requiresGrad) return 0;
  if (!isCarried(state)) return state.kind === "none" ? 2 : 1;
  return state.assumed === undefined ? 1 : -1;
}

const isFirm = ({ state }: Claim) => state.assumed === undefined;

/** What remains assumed of claims that agree: nothing, if one of them is firm. */
function common(states: readonly (Assumption | undefined)[]): Assumption | undefined {
  if (states.includes(undefined)) return undefined;
  return (["length", "leaf", "copies"] as const).find((assumption) => states.includes(assumption));
}

/**
 * The claims that stand.
 *
 * Constants of length N claim that axis by their length alone, so a claim falls where an operand that is worth more
 * extends along the axis without claiming it: a mask [Q] times W [Q, P] with Q = N is no batch.
 */
export function standing(
  { inputs, states, tracking, extentOf }: Alignment,
  claims: readonly Claim[],
): readonly Claim[] {
  const left = claims.filter(({ input, axis, state }) => {
    const own = weight(state, inputs[input] as VariableNode);
    return !inputs.some(
      (other, j) =>
        j !== input &&
        other.requiresGrad &&
        weight(states[j] as SampleAxis, other) > own &&
        extentOf(j, axis) > 1 &&
        !claims.some((claim) => claim.input === j && claim.axis === axis),
    );
  });
  const divided = left.some(({ axis }) => axis !== left[0]?.axis);
  const result = divided && left.some(isFirm) ? left.filter(isFirm) : left;
  for (const claim of claims) if (!result.includes(claim)) tracking.disregard(claim.input);
  return result;
}

/** The samples of operands that meet index by index: claims that stand must name one axis and agree on it. */
export function agree(alignment: Alignment, claims: readonly Claim[]): SampleAxis {
  const { label, inputs, states, tracking, extent, extentOf } = alignment;
  const [leader, ...rest] = standing(alignment, claims);
  const singles = states.filter((state) => state.kind === "single");
  const alone = singles[0];
  if (leader === undefined) {
    if (alone === undefined) return none;
    return singles.every(({ sample }) => sample === alone.sample) ? alone : { kind: "mixed", node: label, axis: 0 };
  }
  const { axis } = leader;
  const mixed: SampleAxis = { kind: "mixed", node: label, axis };
  if (rest.some((claim) => claim.axis !== axis)) return mixed;
  const left = [leader, ...rest];
  const count = extent(axis);
  const assumed = common(
    left.map(({ input, state }) =>
      state.assumed === undefined && inputs[input]?.requiresGrad !== true ? "length" : state.assumed,
    ),
  );
  const spread = ({ input }: Claim) => extentOf(input, axis) !== count;
  if (alone === undefined && !left.some(spread) && rest.every(({ state }) => sameKind(state, leader.state))) {
    return assume(moveTo(leader.state, axis), assumed);
  }
  if (singles.some(({ sample }) => sample !== alone?.sample)) return mixed;
  let labels: Int32Array | undefined = alone === undefined ? undefined : new Int32Array(count).fill(alone.sample);
  for (const claim of left) {
    const found = labelsOf(claim.state, tracking.samples);
    const own = spread(claim) ? new Int32Array(count).fill(found[0] as number) : found;
    const joined = labels === undefined ? own : join(labels, own);
    if (joined === undefined) return mixed;
    labels = joined;
  }
  return withLabels(axis, labels as Int32Array, tracking.samples, assumed);
}

/** The same samples, assumed or not. */
export function assume(state: CarriedSamples, assumed: Assumption | undefined): CarriedSamples {
  if (state.assumed === assumed) return state;
  if (assumed !== undefined) return { ...state, assumed };
  const { assumed: _, ...firm } = state;
  return firm;
}

/** What is certain of every element of an operand; undefined where nothing is. */
function certainLabels(state: SampleAxis, { shape }: VariableNode, samples: number): Int32Array | undefined {
  const size = shape.reduce((a, b) => a * b, 1);
  if (state.kind === "scattered") return state.samples;
  if (isCarried(state) && state.assumed === undefined) return scatter(state.axis, labelsOf(state, samples), shape);
  if (state.kind === "none" || isCarried(state)) return new Int32Array(size).fill(-1);
  return state.kind === "single" ? new Int32Array(size).fill(state.sample) : undefined;
}

/** alignSamples where an operand's samples follow no axis. A constant is no gradient's way and claims nothing. */
function alignScattered(
  label: string,
  states: readonly SampleAxis[],
  inputs: readonly VariableNode[],
  shape: readonly number[],
  samples: number,
): SampleAxis {
  const mixed = states.find((state) => state.kind === "mixed");
  if (mixed !== undefined) return mixed;
  const operands: { labels: Int32Array; shape: readonly number[] }[] = [];
  for (const [k, state] of states.entries()) {
    const input = inputs[k] as VariableNode;
    if (!input.requiresGrad) continue;
    const labels = certainLabels(state, input, samples);
    if (labels === undefined) return unknown;
    operands.push({ labels, shape: input.shape });
  }
  const met = meetScattered(operands, shape);
  return met === undefined ? { kind: "mixed", node: label, axis: 0 } : settleLabels(met, shape, samples);
}

/** The plainest state in which every element belongs to the sample given for it. */
export function settleLabels(labels: Int32Array, shape: readonly number[], samples: number): SampleAxis {
  return settle(labels, shape, (axis, own) => withLabels(axis, own, samples));
}

/** Where samples lie on the result of broadcasting operands together. */
export function alignSamples(
  label: string,
  states: readonly SampleAxis[],
  inputs: readonly VariableNode[],
  shape: readonly number[],
  tracking: SampleTracking,
): SampleAxis {
  if (states.some((state) => state.kind === "scattered")) {
    return alignScattered(label, states, inputs, shape, tracking.samples);
  }
  const known = settled(states);
  if (known !== undefined) return known;
  const rank = shape.length;
  const [state] = states;
  if (states.length === 1 && isCarried(state)) {
    const from = (inputs[0] as VariableNode).shape;
    if (from.length === rank && from[state.axis] === shape[state.axis]) return state;
  }
  const lead = inputs.map((input) => rank - input.shape.length);
  const claims: Claim[] = [];
  states.forEach((state, input) => {
    if (isCarried(state)) claims.push({ input, axis: state.axis + (lead[input] as number), state });
  });
  return agree(
    {
      label,
      inputs,
      states,
      tracking,
      extent: (axis) => shape[axis] as number,
      extentOf: (input, axis) => (inputs[input] as VariableNode).shape[axis - (lead[input] as number)] ?? 1,
    },
    claims,
  );
}

/** Where samples lie after a reduction over axes. */
export function reduceSamples(
  label: string,
  state: SampleAxis,
  axes: readonly number[],
  keepdims: boolean,
  shape: readonly number[],
  samples: number,
): SampleAxis {
  if (state.kind === "scattered") {
    const reduced = reduceScattered(state, shape, axes);
    if ("mixed" in reduced) return { kind: "mixed", node: label, axis: reduced.mixed };
    const kept = shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
    return settleLabels(reduced.labels, keepdims ? kept : kept.filter((_, axis) => !axes.includes(axis)), samples);
  }
  if (!isCarried(state)) return state;
  if (axes.includes(state.axis)) {
    const only = onlySample(state);
    return only === undefined ? mixedAlong(label, state) : only === -1 ? none : { kind: "single", sample: only };
  }
  return keepdims ? state : moveTo(state, state.axis - axes.filter((axis) => axis < state.axis).length);
}

/** The one sample that all indices belong to, −1 for none; undefined where there are several. */
function onlySample(state: CarriedSamples): number | undefined {
  if (state.kind !== "labelled") return undefined;
  const [first = -1, ...others] = new Set(state.samples.filter((n) => n !== -1));
  return others.length === 0 ? first : undefined;
}

/** Where samples lie after a node that treats an axis as a whole, such as sort. */
export function alongSamples(label: string, state: SampleAxis, axis: number): SampleAxis {
  if (!isCarried(state) || state.axis !== axis) return state;
  const only = onlySample(state);
  return only === undefined ? mixedAlong(label, state) : only === -1 ? none : { kind: "single", sample: only };
}

/** Where samples lie on indices [start, stop) of every axis. */
export function sliceSamples(
  state: SampleAxis,
  [start, stop]: readonly [number, number],
  extent: number,
  samples: number,
): SampleAxis {
  if (!isCarried(state) || stop - start === extent) return state;
  return withLabels(state.axis, labelsOf(state, samples).slice(start, stop), samples, state.assumed);
}

/** Where samples lie when indices without a sample are put before and after. */
export function padSamples(state: SampleAxis, [before, after]: readonly [number, number], samples: number): SampleAxis {
  if (!isCarried(state) || before + after === 0) return state;
  const labels = labelsOf(state, samples);
  const padded = new Int32Array(before + labels.length + after).fill(-1);
  padded.set(labels, before);
  return withLabels(state.axis, padded, samples, state.assumed);
}

/** Where samples lie when operands follow each other along the axis that carries them; none has no sample. */
export function chainSamples(
  axis: number,
  states: readonly SampleAxis[],
  extents: readonly number[],
  samples: number,
): SampleAxis {
  const parts = states.map((state, k) => {
    if (isCarried(state)) return labelsOf(state, samples);
    return new Int32Array(extents[k] as number).fill(state.kind === "single" ? state.sample : -1);
  });
  const labels = new Int32Array(extents.reduce((a, b) => a + b, 0));
  let at = 0;
  for (const part of parts) {
    labels.set(part, at);
    at += part.length;
  }
  const assumed = common(states.map((state) => (isCarried(state) ? state.assumed : undefined)));
  return withLabels(axis, labels, samples, assumed);
}

/** Where samples lie under another shape of the same elements. */
export function reshapeSamples(
  state: SampleAxis,
  from: readonly number[],
  to: readonly number[],
  samples: number,
): SampleAxis {
  if (state.kind === "scattered") return settleLabels(state.samples, to, samples);
  if (!isCarried(state)) return state;
  const suffix = (shape: readonly number[], axis: number) => shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const extent = from[state.axis] as number;
  const below = suffix(from, state.axis);
  // The sample of element f is labels[⌊f / below⌋ mod extent]: look for a new axis whose index alone decides it.
  const labels = state.kind === "labelled" ? state.samples : undefined;
  const inner = state.kind === "folded" ? state.inner : 1;
  const period = below * extent;
  for (let axis = 0; axis < to.length; axis++) {
    const count = to[axis] as number;
    const stride = suffix(to, axis);
    const reach = stride * count;
    const step = below * inner;
    if (labels === undefined && step % stride === 0 && reach % period === 0) {
      const fresh = step / stride;
      if (count === samples * fresh)
        return fresh === 1
          ? moveTo({ ...state, kind: "axis" }, axis)
          : { ...state, kind: "folded", axis, samples, inner: fresh };
      return withLabels(
        axis,
        Int32Array.from({ length: count }, (_, i) => Math.floor(i / fresh) % samples),
        samples,
        state.assumed,
      );
    }
    if (labels !== undefined && below % stride === 0 && reach % period === 0) {
      const fresh = below / stride;
      return withLabels(
        axis,
        Int32Array.from({ length: count }, (_, i) => labels[Math.floor(i / fresh) % extent] as number),
        samples,
        state.assumed,
      );
    }
    if (labels !== undefined && stride % below === 0 && period % reach === 0) {
      // Part of the old axis: fine if its other parts repeat the same samples.
      const step = stride / below;
      const picked = Int32Array.from({ length: count }, (_, i) => labels[i * step] as number);
      if (labels.every((n, e) => n === picked[Math.floor(e / step) % count]))
        return withLabels(axis, picked, samples, state.assumed);
    }
  }
  const only = onlySample(state);
  if (only !== undefined && only !== -1) return { kind: "single", sample: only };
  if (state.assumed !== undefined) return unknown;
  return settleLabels(scatter(state.axis, labelsOf(state, samples), from), to, samples);
}

/** A tensor with one index per sample first, then what belongs to the sample along the old axis: [N, T, …rest]. */
export function bySample(x: Tensor, state: CarriedSamples, samples: number): Tensor {
  const { axis } = state;
  const front = axis === 0 ? x : x.permute([axis, ...x.shape.map((_, k) => k).filter((k) => k !== axis)]);
  const rest = front.shape.slice(1);
  if (state.kind !== "labelled") return front.reshape([samples, state.kind === "folded" ? state.inner : 1, ...rest]);
  const members: number[][] = Array.from({ length: samples }, () => []);
  state.samples.forEach((n, i) => members[n]?.push(i));
  const inner = Math.max(1, ...members.map((list) => list.length));
  // Samples with fewer members are filled up with a row of zeros at the end.
  const order = members.flatMap((list) => Array.from({ length: inner }, (_, t) => list[t] ?? state.samples.length));
  const padded = concat([front, x.device.zeros([1, ...rest], { dtype: x.dtype })]);
  const indices = x.device.tensor(order, { dtype: "int32", shape: [samples, inner] });
  return padded.gather(indices);
}

/** Rows of a parameter from values that have the sample axis and, elsewhere, the parameter's shape: [N, …shape]. */
export function rowsOf(values: Tensor, state: CarriedSamples, samples: number, shape: readonly number[]): Tensor {
  const grouped = bySample(values, state, samples);
  const summed = grouped.shape[1] === 1 ? grouped : grouped.sum({ axis: 1 });
  return summed.reshape([samples, ...shape]);
}
