import type { SequenceWork } from "../../work.js";
import type { Job, Numbers } from "../peer.js";
import type { ArrayOf } from "./plain.js";

const sigmoid = (a: number) => 1 / (1 + Math.exp(-a));

/** Loops over steps, sequences and units, forwards and back. */
export function plainSequence(work: SequenceWork, Values: ArrayOf): Job {
  const { steps: T, batch: B, inputs: D, hidden: H } = work;
  const { x, U, W, b } = work.data(work);
  const width = 4 * H;
  /** Gates and states of every sequence and step; states have one more. */
  const gates = new Values(B * T * width);
  const h = new Values(B * (T + 1) * H);
  const c = new Values(B * (T + 1) * H);
  const loss = new Values(1);
  const gradients = {
    x: new Values(x.length),
    U: new Values(U.length),
    W: new Values(W.length),
    b: new Values(b.length),
  };
  const at = (values: ArrayLike<number>, i: number) => values[i] as number;
  const add = (values: Numbers, i: number, value: number) => {
    values[i] = at(values, i) + value;
  };

  const forward = (n: number, t: number, a: Float64Array) => {
    const [from, before, after] = [(n * T + t) * D, (n * (T + 1) + t) * H, (n * (T + 1) + t + 1) * H];
    a.set(b);
    for (let p = 0; p < D; p++) {
      const input = at(x, from + p);
      for (let q = 0; q < width; q++) add(a, q, input * at(U, p * width + q));
    }
    for (let p = 0; p < H; p++) {
      const state = at(h, before + p);
      for (let q = 0; q < width; q++) add(a, q, state * at(W, p * width + q));
    }
    const place = (n * T + t) * width;
    for (let j = 0; j < H; j++) {
      const [i, f, o] = [sigmoid(at(a, j)), sigmoid(at(a, H + j)), sigmoid(at(a, 3 * H + j))];
      const g = Math.tanh(at(a, 2 * H + j));
      const cell = f * at(c, before + j) + i * g;
      [i, f, g, o].forEach((gate, k) => (gates[place + k * H + j] = gate));
      c[after + j] = cell;
      h[after + j] = o * Math.tanh(cell);
      add(loss, 0, at(h, after + j) ** 2 / (B * T * H));
    }
  };

  /** `dh` and `dc` come from the step after and go to the step before. */
  const backward = (n: number, t: number, dh: Float64Array, dc: Float64Array, delta: Float64Array) => {
    const [from, before, after] = [(n * T + t) * D, (n * (T + 1) + t) * H, (n * (T + 1) + t + 1) * H];
    const place = (n * T + t) * width;
    for (let j = 0; j < H; j++) {
      const [i, f, g, o] = [0, 1, 2, 3].map((k) => at(gates, place + k * H + j)) as [number, number, number, number];
      const squashed = Math.tanh(at(c, after + j));
      const down = at(dh, j) + (2 * at(h, after + j)) / (B * T * H);
      const cell = at(dc, j) + down * o * (1 - squashed * squashed);
      delta[j] = cell * g * i * (1 - i);
      delta[H + j] = cell * at(c, before + j) * f * (1 - f);
      delta[2 * H + j] = cell * i * (1 - g * g);
      delta[3 * H + j] = down * squashed * o * (1 - o);
      dc[j] = cell * f;
    }
    for (let q = 0; q < width; q++) add(gradients.b, q, at(delta, q));
    for (let p = 0; p < D; p++) {
      let sum = 0;
      const input = at(x, from + p);
      for (let q = 0; q < width; q++) {
        sum += at(U, p * width + q) * at(delta, q);
        add(gradients.U, p * width + q, input * at(delta, q));
      }
      gradients.x[from + p] = sum;
    }
    for (let p = 0; p < H; p++) {
      let sum = 0;
      const state = at(h, before + p);
      for (let q = 0; q < width; q++) {
        sum += at(W, p * width + q) * at(delta, q);
        add(gradients.W, p * width + q, state * at(delta, q));
      }
      dh[p] = sum;
    }
  };

  const pass = () => {
    loss.fill(0);
    for (const gradient of Object.values(gradients)) gradient.fill(0);
    const [a, delta] = [new Float64Array(width), new Float64Array(width)];
    for (let n = 0; n < B; n++) {
      for (let t = 0; t < T; t++) forward(n, t, a);
      const [dh, dc] = [new Float64Array(H), new Float64Array(H)];
      for (let t = T - 1; t >= 0; t--) backward(n, t, dh, dc, delta);
    }
  };
  return {
    reset() {},
    run(calls) {
      for (let call = 0; call < calls; call++) pass();
    },
    values: () => [loss, gradients.x, gradients.U, gradients.W, gradients.b],
  };
}
