import { codedError, denseSamples, stack, summed, tidy, type SampleMatrix } from "@robgrad/tensor";
import { formatShape } from "@robgrad/tensor/kernels";
import { Gradients, onesFor, propagate, zerosFor } from "./backward.js";
import { place, type FunctionNode } from "./function-node.js";
import { reachable } from "./graph.js";
import { noGrad } from "./recording.js";
import { isAttributable, type SampleAxis } from "./sample-axis.js";
import { SampleTracker } from "./sample-tracker.js";
import { isVariable, makeVariable, type VariableNode } from "./variable-node.js";
import type { Variable } from "./variable.js";

/**
 * The gradient of every sample's loss, apart.
 *
 *   row n of the matrix of p = ∇ₚ lossₙ,   unscaled, not averaged
 *
 * One backward pass for all samples: each node hands out the rows of its parameters as factors (see `SampleMatrix`). A
 * parameter used in several places has its rows added. A parameter reached through arithmetic, or through a node
 * without `backwardSamples`, takes one backward pass per sample instead, which is reported once per node. `grad` of the
 * Variables is left alone.
 *
 * @param losses  [N], one loss per sample, N ≥ 1: axis 0 is the sample axis, and constants of length N carry it.
 * @param params  Variables the losses may depend on; one they do not depend on has rows of zeros.
 * @returns       One N × D matrix per parameter, in the order given.
 * @throws        SHAPE_MISMATCH unless losses has one axis and N ≥ 1, SAMPLES_MIXED naming node and axis when a loss
 *                depends on more than its own sample, STALE_VALUE when a parameter was assigned since.
 * @see           Tutorial, §3.2.3 and §4.2.
 * @example
 * const w = new Variable(device.ones([1, 3]));
 * const losses = linear(device.ones([4, 3]), w).square().sum({ axis: 1 });
 * sampleGradients(losses, [w]).get(w);
 */
export function sampleGradients<P extends Variable>(
  losses: Variable,
  params: Iterable<P>,
): ReadonlyMap<P, SampleMatrix> {
  if (!isVariable(losses))
    throw codedError("BAD_ARGUMENT", `sampleGradients: expected losses to be a Variable, found ${typeof losses}`);
  const [samples = 0] = losses.shape;
  if (losses.shape.length !== 1 || samples < 1) {
    throw codedError(
      "SHAPE_MISMATCH",
      `sampleGradients: expected one loss per sample, [N] with N ≥ 1, found ${losses.dtype} ${formatShape(losses.shape)}; leave out the mean over samples`,
    );
  }
  const wanted = new Map<VariableNode, P>();
  for (const param of params) {
    if (!isVariable(param))
      throw codedError("BAD_ARGUMENT", `sampleGradients: expected params to be Variables, found ${typeof param}`);
    wanted.set(param.node, param);
  }
  const pass = new SamplePass(losses.node, samples, [...wanted.keys()]);
  const matrices = noGrad(() => pass.run());
  return new Map([...wanted].map(([node, param]) => [param, matrices.get(node) as SampleMatrix]));
}

/** One call of sampleGradients. */
class SamplePass {
  readonly #losses: VariableNode;
  readonly #samples: number;
  readonly #wanted: ReadonlySet<VariableNode>;
  readonly #parts = new Map<VariableNode, SampleMatrix[]>();
  /** Params whose rows take a backward pass each, with the node that is the reason. */
  readonly #apart = new Map<VariableNode, FunctionNode | null>();

  constructor(losses: VariableNode, samples: number, wanted: readonly VariableNode[]) {
    this.#losses = losses;
    this.#samples = samples;
    this.#wanted = new Set(wanted);
  }

  run(): ReadonlyMap<VariableNode, SampleMatrix> {
    if (this.#samples === 1) {
      for (const param of this.#wanted) this.#apart.set(param, null);
      return this.#collect();
    }
    const nodes = reachable([this.#losses]);
    const tracker = new SampleTracker(this.#samples, [...nodes].reverse(), this.#wanted);
    tracker.check(this.#losses);
    const order = this.#orderOf(tracker.stateOf(this.#losses));
    if (this.#wanted.has(this.#losses)) this.#setApart(this.#losses, null);
    this.#walk(nodes, tracker, order === undefined);
    return this.#collect(order);
  }

  /** The sample of each loss: null if it is sample n, undefined if two losses share one or it is not known. */
  #orderOf(state: SampleAxis): Int32Array | null | undefined {
    if (state.kind === "axis") return null;
    if (state.kind !== "labelled" || new Set(state.samples).size < this.#samples || state.samples.includes(-1))
      return undefined;
    return state.samples;
  }

  #setApart(param: VariableNode, reason: FunctionNode | null): void {
    if (!this.#apart.has(param)) this.#apart.set(param, reason);
  }

  /** @param nodes  Each before what it depends on. */
  #walk(nodes: readonly FunctionNode[], tracker: SampleTracker, allApart: boolean): void {
    const wanted = this.#wanted;
    const leading = new Set(wanted);
    for (const node of [...nodes].reverse()) {
      const { inputs, outputs } = node[place];
      if (inputs.some((input) => leading.has(input))) for (const output of outputs) leading.add(output);
    }
    /** Variables whose gradients belong to no single sample. */
    const lost = new Set<VariableNode>();
    const gradients = new Gradients();
    if (allApart) lost.add(this.#losses);
    else gradients.add("sampleGradients", this.#losses, onesFor(this.#losses));
    const isLost = (output: VariableNode) =>
      lost.has(output) || (gradients.get(output) !== undefined && !isAttributable(tracker.stateOf(output)));
    for (const node of nodes) {
      const { inputs, outputs } = node[place];
      const ways = inputs.map((input, k) => ({ input, k })).filter(({ input }) => leading.has(input));
      if (ways.length === 0) continue;
      if (outputs.some(isLost)) {
        for (const { input } of ways) {
          lost.add(input);
          if (wanted.has(input)) this.#setApart(input, tracker.silent ?? (allApart ? this.#losses.creator : node));
        }
        continue;
      }
      const gradOutputs = gradients.outputs(outputs);
      if (gradOutputs === undefined) continue;
      for (const output of outputs) gradients.take(output);
      if (ways.some(({ input }) => wanted.has(input))) {
        const thunks =
          node.backwardSamples?.(gradOutputs, {
            samples: this.#samples,
            inputs: inputs.map((input) => tracker.stateOf(input)),
            outputs: outputs.map((output) => tracker.stateOf(output)),
            flow: tracker.flow,
          }) ?? [];
        for (const { input, k } of ways) {
          if (!wanted.has(input) || this.#apart.has(input)) continue;
          const thunk = thunks[k];
          if (thunk === null || thunk === undefined) this.#setApart(input, node);
          else this.#addPart(node, input, thunk());
        }
      }
      const onward = ways.filter(({ input: { creator } }) => creator !== null && leads(creator, leading));
      if (onward.length === 0) continue;
      const thunks = node.backward(gradOutputs);
      for (const { input, k } of onward) {
        const thunk = thunks[k];
        if (tracker.isDisregarded(node, k) || !isAttributable(tracker.stateOf(input))) lost.add(input);
        else if (thunk !== null && thunk !== undefined)
          gradients.add(`${node.label}.backward, input ${k}`, input, thunk());
      }
    }
  }

  #addPart(node: FunctionNode, param: VariableNode, matrix: SampleMatrix): void {
    const features = param.shape.reduce((a, b) => a * b, 1);
    if (matrix.samples !== this.#samples || matrix.features !== features) {
      throw codedError(
        "SHAPE_MISMATCH",
        `${node.label}.backwardSamples: expected ${this.#samples} rows of ${features} features, found ${matrix.samples} of ${matrix.features}`,
      );
    }
    const parts = this.#parts.get(param);
    if (parts === undefined) this.#parts.set(param, [matrix]);
    else parts.push(matrix);
  }

  #collect(order: Int32Array | null = null): ReadonlyMap<VariableNode, SampleMatrix> {
    const { device } = this.#losses;
    const places = order === null ? undefined : device.tensor(order);
    const result = new Map<VariableNode, SampleMatrix>();
    for (const param of this.#wanted) {
      const parts = this.#parts.get(param) ?? [];
      const [first] = parts;
      if (this.#apart.has(param) || first === undefined) continue;
      const matrix = parts.length === 1 ? first : summed(parts);
      result.set(param, places === undefined ? matrix : matrix.take(places));
    }
    if (this.#apart.size > 0) this.#oneBySample(result);
    for (const param of this.#wanted) {
      if (!result.has(param))
        result.set(param, denseSamples(zerosFor(param).value.broadcastTo([this.#samples, ...param.shape])));
    }
    return result;
  }

  /** One backward pass per sample: right for any graph, and slow. */
  #oneBySample(result: Map<VariableNode, SampleMatrix>): void {
    const { device, dtype } = this.#losses;
    const params = [...this.#apart.keys()];
    const wanted = new Set(params);
    const rows = Array.from({ length: this.#samples }, (_, n) =>
      tidy(() => {
        const seed = device
          .eye(this.#samples, this.#samples, { dtype })
          .slice([n, n + 1])
          .reshape([this.#samples]);
        const gradients = propagate(this.#losses, makeVariable(seed), wanted);
        return params.map((param) => gradients.get(param)?.value.copy() ?? null);
      }),
    );
    params.forEach((param, k) => {
      const found = rows.map((row) => row[k] ?? null);
      if (found.every((row) => row === null)) return;
      const present = found.map((row) => row ?? zerosFor(param).value);
      result.set(param, denseSamples(stack(present)));
      for (const row of present) row.dispose();
      const reason = this.#apart.get(param);
      if (reason !== null && reason !== undefined) report(param, reason, this.#samples);
    });
  }
}

function leads({ [place]: { inputs } }: FunctionNode, leading: ReadonlySet<VariableNode>): boolean {
  return inputs.some((input) => leading.has(input));
}

const reportedKey = Symbol.for("robgrad.reported");

function report(param: VariableNode, { label }: FunctionNode, samples: number): void {
  const reported = ((globalThis as { [reportedKey]?: Set<string> })[reportedKey] ??= new Set());
  if (reported.has(label)) return;
  reported.add(label);
  console.warn(
    `sampleGradients: ${param.name ?? "a parameter"} (${param.dtype} ${formatShape(param.shape)}) reaches the losses through ${label}, which keeps no rows per sample: ` +
      `${samples} backward passes were taken instead of one. Use parameters directly in linear, matmul, gather or elementwise operations, put samples on axis 0 of the data, or give the node backwardSamples.`,
  );
}
