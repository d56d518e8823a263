import { concat, where as choose, type SampleMatrix, type Scalar, type Tensor } from "@robgrad/tensor";
import { empty, writeMap, writeProduct } from "@robgrad/tensor/kernels";
import { FunctionNode, place } from "../function-node.js";
import { isRecording } from "../recording.js";
import { isCarried, type SampleAxis, type SampleContext, type SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { makeVariable } from "../variable-node.js";
import { gruSteps, type GRUInputs } from "./gru-steps.js";
import { variableOf } from "./operand.js";
import {
  checkSequence,
  columnsOf,
  countsOf,
  exchanged,
  flattened,
  initialState,
  once,
  partOf,
  recordedGradients,
  sequenceSamples,
  statesOf,
  stepOf,
  withoutMasked,
  type SequenceOptions,
} from "./recurrence.js";

type Values = readonly [x: Tensor, h: Tensor, U: Tensor, W: Tensor, b: Tensor, d: Tensor];

const same = (u: Scalar) => u;
const plus = (u: Scalar, v: Scalar) => u.add(v);
const times = (u: Scalar, v: Scalar) => u.mul(v);
const chosen = (m: Scalar, u: Scalar, v: Scalar) => choose(m, u, v);

/** h = (1 − u) ∘ n + u ∘ h′, n = tanh(x Uₙ + bₙ + r ∘ (h′ Wₙ + d)) */
const state = (xr: Scalar, xu: Scalar, xn: Scalar, hr: Scalar, hu: Scalar, hn: Scalar, d: Scalar, h: Scalar) => {
  const n = xn.add(xr.add(hr).sigmoid().mul(hn.add(d))).tanh();
  return n.add(xu.add(hu).sigmoid().mul(h.sub(n)));
};
const gate = (x: Scalar, h: Scalar) => x.add(h).sigmoid();
const candidate = (x: Scalar, r: Scalar, h: Scalar, d: Scalar) => x.add(r.mul(h.add(d))).tanh();

// What a gradient in h is multiplied by on its way to the sums inside of the gates.
const throughCandidate = (u: Scalar, n: Scalar) => u.neg().add(1).mul(n.square().neg().add(1));
const throughReset = (p: Scalar, r: Scalar, h: Scalar, d: Scalar) => p.mul(h.add(d)).mul(r.mul(r.neg().add(1)));
const throughUpdate = (u: Scalar, h: Scalar, n: Scalar) => h.sub(n).mul(u.mul(u.neg().add(1)));
/** The sum of what the gates, the output and the step after pass back. */
const stateGradient = (sum: Scalar, g: Scalar, after: Scalar, kept: Scalar) => sum.add(g).add(after.mul(kept));

/** What a step is multiplied by in its linearisation. */
interface Factors {
  /** From dh to r, u and the recurrent part of the candidate, [T, B, 3H]. */
  readonly gates: Tensor;
  /** From dh to the candidate's sum, [T, B, H]. */
  readonly candidate: Tensor;
  /** From dh to dh of the step before, [T, B, H]. */
  readonly kept: Tensor;
}

/** Gradients in h′ W + d [T, B, 3H], in x U + b [T, B, 3H], and in h before the first step [B, H]. */
interface Deltas {
  readonly recurrent: Tensor;
  readonly own: Tensor;
  readonly h: Tensor;
}

/** A gated recurrent unit over whole sequences, gradients by hand. Inputs x, h, U, W, b, d. */
class GRUFunction extends FunctionNode {
  readonly #mask: Tensor | undefined;
  /** x U + b and h′ W, [T, B, 3H]. */
  #own: Tensor | null = null;
  #recurrent: Tensor | null = null;
  /** h before the first step and after every one, [T + 1, B, H]. */
  #h: Tensor | null = null;

  /** @param mask  bool [B, T] */
  constructor(mask: Tensor | undefined) {
    super();
    this.#mask = mask;
  }

  override get label(): string {
    return "gru";
  }

  forward(inputs: readonly Tensor[]): readonly Tensor[] {
    const [x, h0, U, W, b, d] = inputs as Values;
    const [batch, steps] = x.shape as [number, number];
    const hidden = h0.shape[1] as number;
    const make = (...shape: number[]) => empty(x.device, x.dtype, shape);
    const own = make(steps, batch, 3 * hidden);
    writeProduct(flattened(own), flattened(exchanged(x)), U, plus, b);
    const recurrent = make(steps, batch, 3 * hidden);
    const hs = make(steps + 1, batch, hidden);
    writeMap(partOf(hs, 0), same, h0);
    for (let t = 0; t < steps; t++) {
      const [h, next] = [partOf(hs, t), partOf(hs, t + 1)];
      const product = partOf(recurrent, t);
      writeProduct(product, h, W);
      const counted = this.#mask?.slice(null, [t, t + 1]);
      const made = counted === undefined ? next : make(batch, hidden);
      writeMap(made, state, ...columnsOf(partOf(own, t), 3), ...columnsOf(product, 3), d, h);
      if (counted !== undefined) writeMap(next, chosen, counted, made, h);
    }
    if (inputs.some((_, k) => this.requiresGrad(k))) {
      this.retainInputs(...inputs.keys());
      this.#own = this.keep(own);
      this.#recurrent = this.keep(recurrent);
      this.#h = this.keep(hs);
      if (this.#mask !== undefined) this.keep(this.#mask);
    }
    return [exchanged(statesOf(hs, "after"))];
  }

  #inputs(): GRUInputs {
    return this[place].inputs.map((_, k) => this.retained(k)) as unknown as GRUInputs;
  }

  #values(): Values {
    return this.#inputs().map(({ value }) => value) as unknown as Values;
  }

  #factors(): Factors {
    const d = this.#values()[5];
    const own = this.#own as Tensor;
    const before = statesOf(this.#h as Tensor, "before");
    const [xr, xu, xn] = columnsOf(own, 3) as [Tensor, Tensor, Tensor];
    const [hr, hu, hn] = columnsOf(this.#recurrent as Tensor, 3) as [Tensor, Tensor, Tensor];
    const [r, u] = [xr.map(gate, hr), xu.map(gate, hu)];
    const n = xn.map(candidate, r, hn, d);
    const counts = this.#mask === undefined ? null : countsOf(this.#mask, own.dtype as "float32" | "float64");
    const counted = (factor: Tensor) => (counts === null ? factor : factor.mul(counts));
    const throughN = counted(u.map(throughCandidate, n));
    const gates = empty(own.device, own.dtype, own.shape);
    const [throughR, throughU, throughProduct] = columnsOf(gates, 3) as [Tensor, Tensor, Tensor];
    writeMap(throughR, throughReset, throughN, r, hn, d);
    writeMap(throughU, same, counted(u.map(throughUpdate, before, n)));
    writeMap(throughProduct, times, throughN, r);
    const kept = counts === null ? u : u.map((k, m) => k.mul(m).add(m.neg().add(1)), counts);
    return { gates, candidate: throughN, kept };
  }

  /** Back-propagation through time; every step is linear in dh. */
  #deltas(gy: Tensor): Deltas {
    const W = this.#values()[3];
    const { gates, candidate, kept } = this.#factors();
    const [steps, batch, width] = gates.shape as [number, number, number];
    const hidden = width / 3;
    const { device, dtype } = gates;
    const recurrent = empty(device, dtype, gates.shape);
    const gradients = exchanged(gy);
    const back = W.transpose();
    const dhs = empty(device, dtype, [steps + 1, batch, hidden]);
    writeMap(partOf(dhs, steps), same, partOf(gradients, steps - 1));
    for (let t = steps - 1; t >= 0; t--) {
      const dh = partOf(dhs, t + 1);
      const delta = partOf(recurrent, t);
      const over = (x: Tensor, count: number) => x.reshape([batch, count, hidden]);
      writeMap(over(delta, 3), times, over(partOf(gates, t), 3), over(dh, 1));
      const gradient = t === 0 ? device.zeros([], { dtype }) : partOf(gradients, t - 1);
      writeProduct(partOf(dhs, t), delta, back, stateGradient, gradient, dh, partOf(kept, t));
    }
    const own = empty(device, dtype, gates.shape);
    const first = (x: Tensor) => x.slice(null, null, [0, 2 * hidden]);
    writeMap(first(own), same, first(recurrent));
    writeMap(columnsOf(own, 3)[2] as Tensor, times, candidate, statesOf(dhs, "after"));
    return { recurrent, own, h: partOf(dhs, 0) };
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    if (isRecording()) {
      const all = once(() =>
        recordedGradients((...inputs) => gruSteps(this.#mask, ...(inputs as unknown as GRUInputs)), this.#inputs(), [
          gy,
        ]),
      );
      return this[place].inputs.map((_, k) => () => all()[k] as Variable);
    }
    const deltas = once(() => this.#deltas(gy.value));
    const [x, , U] = this.#values();
    const own = () => flattened(deltas().own);
    const thunks: (() => Tensor)[] = [
      () => {
        const [batch, steps, features] = x.shape as [number, number, number];
        return exchanged(own().matmul(U.transpose()).reshape([steps, batch, features]));
      },
      () => deltas().h,
      () => flattened(exchanged(x)).transpose().matmul(own()),
      () =>
        flattened(statesOf(this.#h as Tensor, "before"))
          .transpose()
          .matmul(flattened(deltas().recurrent)),
      () => own().sum({ axis: 0 }),
      () => (columnsOf(deltas().recurrent, 3)[2] as Tensor).sum({ axis: [0, 1] }),
    ];
    return thunks.map((thunk) => () => makeVariable(thunk()));
  }

  /** Row n is Σₜ xₙₜ ⊗ δₙₜ for U, with h′ in place of x for W, and Σₜ δₙₜ for b and d. */
  override backwardSamples(
    [gy]: readonly [Variable],
    { samples, outputs: [state], flow }: SampleContext,
  ): ((() => SampleMatrix) | null)[] {
    if (!isCarried(state) || state.axis !== 0) return this[place].inputs.map(() => null);
    const deltas = once(() => this.#deltas(gy.value));
    const [x] = this.#values();
    const added = (delta: Tensor) =>
      flow.denseSamples(flow.rowsOf(delta.sum({ axis: 0 }), state, samples, [delta.shape[2] as number]));
    return [
      null,
      null,
      () => flow.productRows(x, exchanged(deltas().own), state, samples),
      () =>
        flow.productRows(
          exchanged(statesOf(this.#h as Tensor, "before")),
          exchanged(deltas().recurrent),
          state,
          samples,
        ),
      () => added(deltas().own),
      () => added(columnsOf(deltas().recurrent, 3)[2] as Tensor),
    ];
  }

  override sampleAxis(states: readonly SampleAxis[], tracking: SampleTracking): SampleAxis {
    return sequenceSamples(this, states, 2, tracking);
  }

  override forwardTangent([dx, dh0, dU, dW, db, dd]: readonly (Tensor | null | undefined)[]): readonly Tensor[] {
    const [x, h0, U, W] = this.#values();
    const { gates, candidate, kept } = this.#factors();
    const [steps, batch, width] = gates.shape as [number, number, number];
    const hidden = width / 3;
    const zeros = x.device.zeros([], { dtype: x.dtype });
    // What the tangents of all but the state put into the sums, for all steps at once.
    let own = zeros.broadcastTo(gates.shape);
    if (dx) own = own.add(exchanged(dx).matmul(U));
    if (dU) own = own.add(exchanged(x).matmul(dU));
    if (db) own = own.add(db);
    let recurrent = zeros.broadcastTo(gates.shape);
    if (dW) recurrent = recurrent.add(statesOf(this.#h as Tensor, "before").matmul(dW));
    const [ownR, ownU, ownN] = columnsOf(own, 3) as [Tensor, Tensor, Tensor];
    const [recurrentR, recurrentU, recurrentN] = columnsOf(recurrent, 3) as [Tensor, Tensor, Tensor];
    const [throughR, throughU, throughN] = columnsOf(gates, 3) as [Tensor, Tensor, Tensor];
    const whole = throughR
      .mul(ownR.add(recurrentR))
      .add(throughU.mul(ownU.add(recurrentU)))
      .add(candidate.mul(ownN))
      .add(throughN.mul(dd ? recurrentN.add(dd) : recurrentN));
    let dh = dh0 ?? zeros.broadcastTo(h0.shape);
    const outputs: Tensor[] = [];
    for (let t = 0; t < steps; t++) {
      const through = partOf(gates, t).mul(dh.matmul(W)).reshape([batch, 3, hidden]).sum({ axis: 1 });
      dh = through.add(partOf(whole, t)).add(dh.mul(partOf(kept, t)));
      outputs.push(dh.reshape([batch, 1, hidden]));
    }
    return [concat(outputs, { axis: 1 })];
  }
}

/** Parameters of a GRU; columns of U, W and b belong to the reset gate, the update gate and the candidate. */
export interface GRUParameters {
  /** [D, 3H] */
  readonly U: Variable | Tensor;
  /** [H, 3H] */
  readonly W: Variable | Tensor;
  /** [3H] */
  readonly b: Variable | Tensor;
  /** [H]: the candidate's bias inside of the reset gate. */
  readonly d: Variable | Tensor;
}

/** Where a GRU starts, which steps count, and how it is computed. */
export interface GRUOptions extends SequenceOptions {
  /** [B, H]; zeros unless given. */
  readonly h?: Variable | Tensor;
}

/** What a GRU leaves. */
export interface GRUResult {
  /** h after every step, [B, T, H]. */
  readonly outputs: Variable;
  /** h after the last step, [B, H]. */
  readonly h: Variable;
}

/**
 * A gated recurrent unit over sequences, the reset gate applied after the product, as PyTorch and cuDNN have it.
 *
 *   r = σ(x Uᵣ + h′ Wᵣ + bᵣ)      u = σ(x Uᵤ + h′ Wᵤ + bᵤ)
 *   n = tanh(x Uₙ + bₙ + r ∘ (h′ Wₙ + d))
 *   h = (1 − u) ∘ n + u ∘ h′
 *
 * One node, whose gradients are derived by hand; memory for 7 B T H numbers until the way back. Gradients that are to
 * be differentiated themselves are taken through a graph of every step's operations instead. Sequences come first: for
 * [T, B, D], permute x and the outputs.
 *
 * @param x           [B, T, D], any T.
 * @param parameters  `U`, `W`, `b` and `d`.
 * @param options     `h` to start from; `mask`; `fused: false` for a graph of every step's operations.
 * @returns           `outputs` [B, T, H] and `h` after the last step. A step that does not count repeats the state.
 * @throws            SHAPE_MISMATCH, DTYPE_MISMATCH, DEVICE_MISMATCH, BAD_ARGUMENT.
 * @see               K. Cho et al. (2014), Learning phrase representations using RNN encoder–decoder, §2.3.
 * @example
 * const drawn = (...shape: number[]) => new Variable(device.rng(0).normal(shape));
 * gru(device.ones([4, 5, 3]), { U: drawn(3, 6), W: drawn(2, 6), b: drawn(6), d: drawn(2) }).outputs.shape   // [4, 5, 2]
 */
export function gru(
  x: Variable | Tensor,
  parameters: GRUParameters,
  { h, mask, fused = true }: GRUOptions = {},
): GRUResult {
  const [from, U, W, b, d] = [x, parameters.U, parameters.W, parameters.b, parameters.d].map((operand) =>
    variableOf("gru", operand),
  ) as [Variable, Variable, Variable, Variable, Variable];
  const start = initialState("gru", h, from, W.shape[0] ?? 0);
  const { batch, steps, hidden } = checkSequence(
    "gru",
    [
      ["x", from, ["B", "T", "D"]],
      ["W", W, ["H", "3H"]],
      ["U", U, ["D", "3H"]],
      ["b", b, ["3H"]],
      ["d", d, ["H"]],
      ["h", start, ["B", "H"]],
    ],
    mask,
  );
  if (steps === 0) {
    return { outputs: makeVariable(from.device.zeros([batch, 0, hidden], { dtype: from.dtype })), h: start };
  }
  const inputs: GRUInputs = [withoutMasked(from, mask), start, U, W, b, d];
  const [outputs] = (fused ? new GRUFunction(mask).apply(...inputs) : gruSteps(mask, ...inputs)) as [Variable];
  return { outputs, h: stepOf(outputs, steps - 1) };
}
