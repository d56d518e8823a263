import { codedError, concat, where as choose, type SampleMatrix, type Scalar, type Tensor } from "@robgrad/tensor";
import { apply, empty, input, reduceFormula, writeMap, writeProduct } from "@robgrad/tensor/kernels";
import { FunctionNode, place } from "../function-node.js";
import { isRecording } from "../recording.js";
import { isCarried, type SampleAxis, type SampleContext, type SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { makeVariable } from "../variable-node.js";
import { lstmSteps, type LSTMInputs } from "./lstm-steps.js";
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

type Values = readonly [x: Tensor, h: Tensor, c: Tensor, U: Tensor, W: Tensor, b: Tensor, ...V: Tensor[]];

const same = (u: Scalar) => u;
const plus = (u: Scalar, v: Scalar) => u.add(v);
const times = (u: Scalar, v: Scalar) => u.mul(v);
const chosen = (m: Scalar, u: Scalar, v: Scalar) => choose(m, u, v);

/** c = f ∘ c′ + i ∘ g */
const cell = (i: Scalar, f: Scalar, g: Scalar, c: Scalar) => f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
const cellDiagonal = (i: Scalar, f: Scalar, g: Scalar, c: Scalar, vi: Scalar, vf: Scalar) =>
  cell(i.add(c.mul(vi)), f.add(c.mul(vf)), g, c);
const cellFull = (i: Scalar, f: Scalar, g: Scalar, c: Scalar, pi: Scalar, pf: Scalar) =>
  cell(i.add(pi), f.add(pf), g, c);

/** h = o ∘ tanh c */
const output = (o: Scalar, c: Scalar) => o.sigmoid().mul(c.tanh());
const outputDiagonal = (o: Scalar, c: Scalar, v: Scalar) => output(o.add(c.mul(v)), c);
const outputFull = (o: Scalar, c: Scalar, p: Scalar) => output(o.add(p), c);

const gateDiagonal = (a: Scalar, c: Scalar, v: Scalar) => a.add(c.mul(v)).sigmoid();
const gateFull = (a: Scalar, p: Scalar) => a.add(p).sigmoid();

// What a gradient in c or h is multiplied by on its way to the sums inside of the gates.
const throughInput = (i: Scalar, g: Scalar) => g.mul(i.mul(i.neg().add(1)));
const throughForget = (f: Scalar, c: Scalar) => c.mul(f.mul(f.neg().add(1)));
const throughCandidate = (i: Scalar, g: Scalar) => i.mul(g.square().neg().add(1));
const throughOutput = (o: Scalar, c: Scalar) => c.tanh().mul(o.mul(o.neg().add(1)));
const throughCell = (o: Scalar, c: Scalar) => o.mul(c.tanh().square().neg().add(1));

/** dc = dc of the step after ∘ its way back + dh ∘ o ∘ (1 − tanh² c) */
const cellGradient = (after: Scalar, kept: Scalar, dh: Scalar, q: Scalar) => after.mul(kept).add(dh.mul(q));
const cellGradientFull = (after: Scalar, kept: Scalar, dh: Scalar, q: Scalar, p: Scalar) =>
  cellGradient(after, kept, dh, q).add(p);
const lastCellGradient = (given: Scalar, dh: Scalar, q: Scalar) => given.add(dh.mul(q));
const lastCellGradientFull = (given: Scalar, dh: Scalar, q: Scalar, p: Scalar) => given.add(dh.mul(q)).add(p);
/** A sum with what a masked step passes on: dh where it does not count. */
const plusHeld = (sum: Scalar, g: Scalar, after: Scalar, counts: Scalar) =>
  sum.add(g).add(after.mul(counts.neg().add(1)));

const product = apply("mul", input(0), input(1));

/** What a step is multiplied by in its linearisation, [T, B, H] each but for `gates`. */
interface Factors {
  /** Of i, f and the candidate, on their way from dc: [T, B, 3H]. */
  readonly gates: Tensor;
  /** Of o, on its way from dh. */
  readonly output: Tensor;
  /** From dh to dc of the same step. */
  readonly cell: Tensor;
  /** From dc to dc of the step before. */
  readonly kept: Tensor;
  /** 1 where a step counts, [T, B, 1]; null where all do. */
  readonly counts: Tensor | null;
}

/** Gradients in the sums inside of the gates [T, B, 4H] and in the states before the first step [B, H]. */
interface Deltas {
  readonly sums: Tensor;
  readonly h: Tensor;
  readonly c: Tensor;
}

/** A Graves LSTM over whole sequences (note; gradients by hand). Inputs x, h, c, U, W, b and peepholes. */
class LSTMFunction extends FunctionNode {
  readonly #mask: Tensor | undefined;
  /** x U + h′ W + b, [T, B, 4H]. */
  #sums: Tensor | null = null;
  /** h and c before the first step and after every one, [T + 1, B, H]. */
  #h: Tensor | null = null;
  #c: Tensor | null = null;

  /** @param mask  bool [B, T] */
  constructor(mask: Tensor | undefined) {
    super();
    this.#mask = mask;
  }

  override get label(): string {
    return "lstm";
  }

  forward(inputs: readonly Tensor[]): readonly Tensor[] {
    const [x, h0, c0, U, W, b, ...V] = inputs as Values;
    const [batch, steps] = x.shape as [number, number];
    const hidden = h0.shape[1] as number;
    const { device, dtype } = x;
    const make = (...shape: number[]) => empty(device, dtype, shape);
    const own = make(steps, batch, 4 * hidden);
    writeProduct(flattened(own), flattened(exchanged(x)), U, plus, b);
    const sums = make(steps, batch, 4 * hidden);
    const [hs, cs] = [make(steps + 1, batch, hidden), make(steps + 1, batch, hidden)];
    writeMap(partOf(hs, 0), same, h0);
    writeMap(partOf(cs, 0), same, c0);
    const full = isFull(V);
    for (let t = 0; t < steps; t++) {
      const [h, c] = [partOf(hs, t), partOf(cs, t)];
      const [nextH, nextC] = [partOf(hs, t + 1), partOf(cs, t + 1)];
      const counted = this.#mask?.slice(null, [t, t + 1]);
      const sum = partOf(sums, t);
      writeProduct(sum, h, W, plus, partOf(own, t));
      const [i, f, g, o] = columnsOf(sum, 4) as [Tensor, Tensor, Tensor, Tensor];
      const newC = counted === undefined ? nextC : make(batch, hidden);
      const newH = counted === undefined ? nextH : make(batch, hidden);
      const [Vi, Vf, Vo] = V as [Tensor, Tensor, Tensor];
      if (V.length === 0) writeMap(newC, cell, i, f, g, c);
      else if (full) writeMap(newC, cellFull, i, f, g, c, c.matmul(Vi), c.matmul(Vf));
      else writeMap(newC, cellDiagonal, i, f, g, c, Vi, Vf);
      if (V.length === 0) writeMap(newH, output, o, newC);
      else if (full) writeMap(newH, outputFull, o, newC, newC.matmul(Vo));
      else writeMap(newH, outputDiagonal, o, newC, Vo);
      if (counted === undefined) continue;
      writeMap(nextC, chosen, counted, newC, c);
      writeMap(nextH, chosen, counted, newH, h);
    }
    if (inputs.some((_, k) => this.requiresGrad(k))) {
      this.retainInputs(...inputs.keys());
      this.#sums = this.keep(sums);
      this.#h = this.keep(hs);
      this.#c = this.keep(cs);
      if (this.#mask !== undefined) this.keep(this.#mask);
    }
    return [exchanged(hs.slice([1, steps + 1])), partOf(cs, steps)];
  }

  #inputs(): LSTMInputs {
    return this[place].inputs.map((_, k) => this.retained(k)) as unknown as LSTMInputs;
  }

  #values(): Values {
    return this.#inputs().map(({ value }) => value) as unknown as Values;
  }

  #factors(): Factors {
    const [, , , , , , ...V] = this.#values();
    const sums = this.#sums as Tensor;
    const [before, after] = [statesOf(this.#c as Tensor, "before"), statesOf(this.#c as Tensor, "after")];
    const [ai, af, ag, ao] = columnsOf(sums, 4) as [Tensor, Tensor, Tensor, Tensor];
    const full = isFull(V);
    const gate = (a: Tensor, c: Tensor, v: Tensor | undefined): Tensor => {
      if (v === undefined) return a.sigmoid();
      if (full) return a.map(gateFull, c.matmul(v));
      return a.map(gateDiagonal, c, v);
    };
    const [Vi, Vf, Vo] = V;
    const [i, f, g, o] = [gate(ai, before, Vi), gate(af, before, Vf), ag.tanh(), gate(ao, after, Vo)];
    const gates = empty(sums.device, sums.dtype, [...before.shape.slice(0, 2), 3 * (before.shape[2] as number)]);
    const [throughI, throughF, throughG] = columnsOf(gates, 3) as [Tensor, Tensor, Tensor];
    const counts = this.#mask === undefined ? null : countsOf(this.#mask, sums.dtype as "float32" | "float64");
    const counted = (factor: Tensor) => (counts === null ? factor : factor.mul(counts));
    writeMap(throughI, same, counted(i.map(throughInput, g)));
    writeMap(throughF, same, counted(f.map(throughForget, before)));
    writeMap(throughG, same, counted(i.map(throughCandidate, g)));
    const throughO = counted(o.map(throughOutput, after));
    let throughC = counted(o.map(throughCell, after));
    let kept = counts === null ? f : f.map((u, m) => u.mul(m).add(m.neg().add(1)), counts);
    if (!full && Vi !== undefined && Vf !== undefined && Vo !== undefined) {
      throughC = throughC.map((q, p, v) => q.add(p.mul(v)), throughO, Vo);
      kept = kept.map((k, i, vi, f, vf) => k.add(i.mul(vi)).add(f.mul(vf)), throughI, Vi, throughF, Vf);
    }
    return { gates, output: throughO, cell: throughC, kept, counts };
  }

  /** Back-propagation through time; every step is linear in dh and dc. */
  #deltas(gy: Tensor, gc: Tensor): Deltas {
    const [, , , , W, , ...V] = this.#values();
    const { device, dtype } = W;
    const factors = this.#factors();
    const { counts } = factors;
    const [steps, batch, width] = factors.gates.shape as [number, number, number];
    const hidden = width / 3;
    const make = (...shape: number[]) => empty(device, dtype, shape);
    const sums = make(steps, batch, 4 * hidden);
    const gradients = exchanged(gy);
    const back = W.transpose();
    const full = isFull(V);
    const backFull = full ? concat([(V[0] as Tensor).transpose(), (V[1] as Tensor).transpose()]) : null;
    const overGates = (x: Tensor, count: number) => x.reshape([batch, count, hidden]);
    let dh = partOf(gradients, steps - 1);
    let dc = gc;
    for (let t = steps - 1; t >= 0; t--) {
      const delta = partOf(sums, t);
      const after = t + 1 < steps ? partOf(sums, t + 1) : null;
      if (after !== null) dh = this.#through(after, back, partOf(gradients, t), dh, counts && partOf(counts, t + 1));
      const o = delta.slice(null, [3 * hidden, 4 * hidden]);
      writeMap(o, times, partOf(factors.output, t), dh);
      const next = make(batch, hidden);
      let peeped: Tensor | null = null;
      if (full) {
        peeped = o.matmul((V[2] as Tensor).transpose());
        if (after !== null) {
          const both = make(batch, hidden);
          writeProduct(both, after.slice(null, [0, 2 * hidden]), backFull as Tensor, plus, peeped);
          peeped = both;
        }
      }
      const q = partOf(factors.cell, t);
      if (after === null) {
        if (peeped === null) writeMap(next, lastCellGradient, dc, dh, q);
        else writeMap(next, lastCellGradientFull, dc, dh, q, peeped);
      } else if (peeped === null) writeMap(next, cellGradient, dc, partOf(factors.kept, t + 1), dh, q);
      else writeMap(next, cellGradientFull, dc, partOf(factors.kept, t + 1), dh, q, peeped);
      dc = next;
      const gates = partOf(factors.gates, t);
      writeMap(overGates(delta, 4).slice(null, [0, 3]), times, overGates(gates, 3), dc.reshape([batch, 1, hidden]));
    }
    const first = partOf(sums, 0);
    const none = device.zeros([], { dtype });
    const before = dc.mul(partOf(factors.kept, 0));
    return {
      sums,
      h: this.#through(first, back, none, dh, counts && partOf(counts, 0)),
      c: full ? before.add(first.slice(null, [0, 2 * hidden]).matmul(backFull as Tensor)) : before,
    };
  }

  /** dh before a step: what its sums, its output and, where it does not count, the step after pass on. */
  #through(delta: Tensor, back: Tensor, gradient: Tensor, after: Tensor, counts: Tensor | null): Tensor {
    const dh = empty(delta.device, delta.dtype, [delta.shape[0] as number, back.shape[1] as number]);
    if (counts === null) writeProduct(dh, delta, back, plus, gradient);
    else writeProduct(dh, delta, back, plusHeld, gradient, after, counts);
    return dh;
  }

  backward([gy, gc]: readonly [Variable, Variable]): readonly (() => Variable)[] {
    if (isRecording()) {
      const all = once(() =>
        recordedGradients((...inputs) => lstmSteps(this.#mask, ...(inputs as unknown as LSTMInputs)), this.#inputs(), [
          gy,
          gc,
        ]),
      );
      return this[place].inputs.map((_, k) => () => all()[k] as Variable);
    }
    const deltas = once(() => this.#deltas(gy.value, gc.value));
    const [x, , , U, , , ...V] = this.#values();
    const hidden = gy.shape[2] as number;
    const rows = () => flattened(deltas().sums);
    const states = (kind: "h" | "c", when: "before" | "after") =>
      statesOf((kind === "h" ? this.#h : this.#c) as Tensor, when);
    const peephole = (gate: number, when: "before" | "after") => () => {
      const own = deltas().sums.slice(null, null, [gate * hidden, (gate + 1) * hidden]);
      const c = states("c", when);
      return isFull(V)
        ? flattened(c).transpose().matmul(flattened(own))
        : reduceFormula("sum", product, [c, own], { axis: [0, 1] });
    };
    const thunks: (() => Tensor)[] = [
      () => {
        const [batch, steps, features] = x.shape as [number, number, number];
        return exchanged(rows().matmul(U.transpose()).reshape([steps, batch, features]));
      },
      () => deltas().h,
      () => deltas().c,
      () => flattened(exchanged(x)).transpose().matmul(rows()),
      () => flattened(states("h", "before")).transpose().matmul(rows()),
      () => rows().sum({ axis: 0 }),
      ...V.map((_, k) => peephole(k === 2 ? 3 : k, k === 2 ? "after" : "before")),
    ];
    return thunks.map((thunk) => () => makeVariable(thunk()));
  }

  /** Row n is Σₜ xₙₜ ⊗ δₙₜ for U, with h′ and c in place of x for W and V, and Σₜ δₙₜ for b. */
  override backwardSamples(
    [gy, gc]: readonly [Variable, Variable],
    { samples, outputs: [state], flow }: SampleContext,
  ): ((() => SampleMatrix) | null)[] {
    if (!isCarried(state) || state.axis !== 0) return this[place].inputs.map(() => null);
    const sums = once(() => exchanged(this.#deltas(gy.value, gc.value).sums));
    const [x, , , , , , ...V] = this.#values();
    const hidden = gy.shape[2] as number;
    const bySequence = (states: Tensor | null, when: "before" | "after") => exchanged(statesOf(states as Tensor, when));
    const peephole = (gate: number, when: "before" | "after") => () => {
      const own = sums().slice(null, null, [gate * hidden, (gate + 1) * hidden]);
      const c = bySequence(this.#c, when);
      if (isFull(V)) return flow.productRows(c, own, state, samples);
      const added = reduceFormula("sum", product, [c, own], { axis: 1 });
      return flow.denseSamples(flow.rowsOf(added, state, samples, [hidden]));
    };
    return [
      null,
      null,
      null,
      () => flow.productRows(x, sums(), state, samples),
      () => flow.productRows(bySequence(this.#h, "before"), sums(), state, samples),
      () => flow.denseSamples(flow.rowsOf(sums().sum({ axis: 1 }), state, samples, [4 * hidden])),
      ...V.map((_, k) => peephole(k === 2 ? 3 : k, k === 2 ? "after" : "before")),
    ];
  }

  override sampleAxis(states: readonly SampleAxis[], tracking: SampleTracking): SampleAxis {
    return sequenceSamples(this, states, 3, tracking);
  }

  override forwardTangent(tangents: readonly (Tensor | null)[]): readonly Tensor[] {
    const [dx, dh0, dc0, dU, dW, db, ...dV] = tangents;
    const [x, h0, , U, W, , ...V] = this.#values();
    const factors = this.#factors();
    const { counts } = factors;
    const [steps, batch, width] = factors.gates.shape as [number, number, number];
    const hidden = width / 3;
    const zeros = x.device.zeros([], { dtype: x.dtype });
    const full = isFull(V);
    const peep = (c: Tensor, v: Tensor) => (full ? c.matmul(v) : c.mul(v));
    // What the tangents of all but the states put into the sums, for all steps at once.
    let own = zeros.broadcastTo([steps, batch, 4 * hidden]);
    if (dx) own = own.add(exchanged(dx).matmul(U));
    if (dU) own = own.add(exchanged(x).matmul(dU));
    if (dW) own = own.add(statesOf(this.#h as Tensor, "before").matmul(dW));
    if (db) own = own.add(db);
    const gates = columnsOf(own, 4);
    dV.forEach((tangent, k) => {
      if (!tangent) return;
      const gate = k === 2 ? 3 : k;
      const c = statesOf(this.#c as Tensor, k === 2 ? "after" : "before");
      gates[gate] = (gates[gate] as Tensor).add(peep(c, tangent));
    });
    own = concat(gates, { axis: 2 });
    const through = columnsOf(factors.gates, 3);
    let dh = dh0 ?? zeros.broadcastTo(h0.shape);
    let dc = dc0 ?? zeros.broadcastTo(h0.shape);
    const outputs: Tensor[] = [];
    for (let t = 0; t < steps; t++) {
      const sums = columnsOf(dh.matmul(W).add(partOf(own, t)), 4);
      if (full) for (const k of [0, 1]) sums[k] = (sums[k] as Tensor).add(dc.matmul(V[k] as Tensor));
      let next = dc.mul(partOf(factors.kept, t));
      through.forEach((factor, k) => {
        next = next.add(partOf(factor, t).mul(sums[k] as Tensor));
      });
      if (full) sums[3] = (sums[3] as Tensor).add(next.matmul(V[2] as Tensor));
      const moved = partOf(factors.output, t)
        .mul(sums[3] as Tensor)
        .add(next.mul(partOf(factors.cell, t)));
      dh = counts === null ? moved : moved.add(dh.mul(partOf(counts, t).neg().add(1)));
      dc = next;
      outputs.push(dh.reshape([batch, 1, hidden]));
    }
    return [concat(outputs, { axis: 1 }), dc];
  }
}

const isFull = (V: readonly Tensor[]): boolean => V[0]?.shape.length === 2;

/** Parameters of a Graves LSTM; columns of U, W and b belong to i, f, the candidate and o, a quarter each. */
export interface LSTMParameters {
  /** [D, 4H] */
  readonly U: Variable | Tensor;
  /** [H, 4H] */
  readonly W: Variable | Tensor;
  /** [4H] */
  readonly b: Variable | Tensor;
  /** Peepholes of i, f and o: three vectors [H], three matrices [H, H], or none. */
  readonly V?: readonly [i: Variable | Tensor, f: Variable | Tensor, o: Variable | Tensor];
}

/** Where an LSTM starts, which steps count, and how it is computed. */
export interface LSTMOptions extends SequenceOptions {
  /** [B, H]; zeros unless given. */
  readonly h?: Variable | Tensor;
  /** [B, H]; zeros unless given. */
  readonly c?: Variable | Tensor;
}

/** What an LSTM leaves. */
export interface LSTMResult {
  /** h after every step, [B, T, H]. */
  readonly outputs: Variable;
  /** h after the last step, [B, H]. */
  readonly h: Variable;
  /** c after the last step, [B, H]. */
  readonly c: Variable;
}

/**
 * The LSTM of A. Graves over sequences, with peepholes or without.
 *
 *   i = σ(x Uᵢ + h′ Wᵢ + c′ ∘ Vᵢ + bᵢ)      f = σ(x U_f + h′ W_f + c′ ∘ V_f + b_f)
 *   c = f ∘ c′ + i ∘ tanh(x U_c + h′ W_c + b_c)
 *   o = σ(x Uₒ + h′ Wₒ + c ∘ Vₒ + bₒ)       h = o ∘ tanh c
 *
 * ∘ V is a product with the matrix V where peepholes are matrices. One node, whose gradients are derived by hand;
 * memory for 6 B T H numbers until the way back. Gradients that are to be differentiated themselves are taken
 * through a graph of every step's operations instead. Sequences come first: for [T, B, D], permute x and the outputs.
 *
 * @param x           [B, T, D], any T.
 * @param parameters  `U`, `W`, `b`, and `V` for peepholes.
 * @param options     `h` and `c` to start from; `mask`; `fused: false` for a graph of every step's operations.
 * @returns           `outputs` [B, T, H]; `h` and `c` after the last step. A step that does not count repeats the state.
 * @throws            SHAPE_MISMATCH, DTYPE_MISMATCH, DEVICE_MISMATCH, BAD_ARGUMENT.
 * @see               A. Graves (2013), Generating sequences with recurrent neural networks, equations (7)–(11); note on
 *                    reverse mode, equations (11)–(15).
 * @example
 * const drawn = (...shape: number[]) => new Variable(device.rng(0).normal(shape));
 * lstm(device.ones([4, 5, 3]), { U: drawn(3, 8), W: drawn(2, 8), b: drawn(8) }).outputs.shape   // [4, 5, 2]
 */
export function lstm(
  x: Variable | Tensor,
  { U, W, b, V }: LSTMParameters,
  { h, c, mask, fused = true }: LSTMOptions = {},
): LSTMResult {
  const [from, ...rest] = [x, U, W, b].map((operand) => variableOf("lstm", operand)) as [
    Variable,
    Variable,
    Variable,
    Variable,
  ];
  if (V !== undefined && V.length !== 3) {
    throw codedError("BAD_ARGUMENT", `lstm: expected V for i, f and o, found ${(V as readonly unknown[]).length}`);
  }
  const peepholes = (V ?? []).map((operand) => variableOf("lstm", operand));
  const width = rest[1].shape[0] ?? 0;
  const starts = [initialState("lstm", h, from, width), initialState("lstm", c, from, width)] as const;
  const wanted = peepholes[0]?.shape.length === 2 ? ["H", "H"] : ["H"];
  const { batch, steps, hidden } = checkSequence(
    "lstm",
    [
      ["x", from, ["B", "T", "D"]],
      ["W", rest[1], ["H", "4H"]],
      ["U", rest[0], ["D", "4H"]],
      ["b", rest[2], ["4H"]],
      ...peepholes.map((v, k) => [`V[${k}]`, v, wanted] as const),
      ["h", starts[0], ["B", "H"]],
      ["c", starts[1], ["B", "H"]],
    ],
    mask,
  );
  if (steps === 0) {
    const outputs = makeVariable(from.device.zeros([batch, 0, hidden], { dtype: from.dtype }));
    return { outputs, h: starts[0], c: starts[1] };
  }
  const inputs: LSTMInputs = [withoutMasked(from, mask), ...starts, ...rest, ...peepholes];
  const [outputs, last] = (fused ? new LSTMFunction(mask).apply(...inputs) : lstmSteps(mask, ...inputs)) as [
    Variable,
    Variable,
  ];
  return { outputs, h: stepOf(outputs, steps - 1), c: last };
}
