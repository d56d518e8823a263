import { sidesOf, type ConvolutionWork } from "../../work.js";
import type { Job, Numbers } from "../peer.js";
import { columnRule } from "./column-rules.js";
import type { ArrayOf } from "./plain.js";
import { softmaxCrossEntropy } from "./softmax-cross-entropy.js";

/** A convolution without padding, ReLU, and the largest of every 2 × 2; or, with a kernel of its input's side, a dense layer. */
interface Stage {
  readonly C: number;
  readonly Q: number;
  readonly kernel: number;
  /** Of the input, of the convolution's output, and of what is pooled. */
  readonly sides: readonly [number, number, number];
  readonly W: Numbers;
  readonly b: Numbers;
  /** [N, C, side, side], the stage before's output. */
  readonly x: Numbers;
  /** [N, Q, …] after ReLU, and after pooling. */
  readonly y: Numbers;
  readonly pooled: Numbers;
  /** Where in its image every pooled element comes from. */
  readonly winners: Int32Array;
  /** Gradients of every sample's own loss in y before ReLU, and in the pooled. */
  readonly delta: Numbers;
  readonly ofPooled: Numbers;
  /** Gradients in W and b by sample. */
  readonly rowsW: Numbers;
  readonly rowsB: Numbers;
}

export function plainConvolution(work: ConvolutionWork, Values: ArrayOf): Job {
  const { samples: N, channels, kernel, classes, stepSize, rule } = work;
  const data = work.data();
  const sides = sidesOf(work);
  const stages: Stage[] = [];
  [...channels.slice(1), classes].forEach((Q, k) => {
    const dense = k === 2;
    const C = channels[k] as number;
    const side = sides[k] as number;
    const own = dense ? side : kernel;
    const out = side - own + 1;
    const after = dense ? out : out / 2;
    const layer = data.layers[k] as { W: Float64Array; b: Float64Array };
    const copy = (values: Float64Array) => {
      const made = new Values(values.length);
      made.set(values);
      return made;
    };
    stages.push({
      C,
      Q,
      kernel: own,
      sides: [side, out, after],
      W: copy(layer.W),
      b: copy(layer.b),
      x: stages.at(-1)?.pooled ?? copy(data.x),
      y: new Values(N * Q * out ** 2),
      pooled: new Values(N * Q * after ** 2),
      winners: new Int32Array(N * Q * after ** 2),
      delta: new Values(N * Q * out ** 2),
      ofPooled: new Values(N * Q * after ** 2),
      rowsW: new Values(N * layer.W.length),
      rowsB: new Values(N * Q),
    });
  });
  const last = stages.at(-1) as Stage;
  const loss = new Values(1);
  const tally = { values: 0, truncated: 0 };
  const column = columnRule(rule, tally);
  const values = new Float64Array(N);

  const descend = (parameter: Numbers, rows: Numbers) => {
    const D = parameter.length;
    for (let d = 0; d < D; d++) {
      let mean = 0;
      for (let n = 0; n < N; n++) {
        values[n] = rows[n * D + d] as number;
        mean += (values[n] as number) / N;
      }
      parameter[d] = (parameter[d] as number) - stepSize * (column === null ? mean : column(values));
    }
  };

  const step = () => {
    for (const stage of stages) {
      convolve(stage, N);
      if (stage !== last) pool(stage, N);
    }
    loss[0] = softmaxCrossEntropy(last, N, data.labels);
    for (let k = stages.length - 1; k >= 0; k--) {
      const stage = stages[k] as Stage;
      if (stage !== last) unpool(stage, N);
      convolveBack(stage, N, stages[k - 1]?.ofPooled ?? null);
    }
    for (const { W, b, rowsW, rowsB } of stages) {
      descend(W, rowsW);
      descend(b, rowsB);
    }
  };

  return {
    reset() {
      stages.forEach(({ W, b }, k) => {
        W.set(data.layers[k]?.W as Float64Array);
        b.set(data.layers[k]?.b as Float64Array);
      });
    },
    run(calls) {
      for (let call = 0; call < calls; call++) step();
    },
    values: () => [loss, ...stages.flatMap(({ W, b }) => [W, b])],
    notes: () => (tally.values > 0 ? { "share truncated": tally.truncated / tally.values } : {}),
  };
}

function convolve({ C, Q, kernel, sides: [side, out], W, b, x, y }: Stage, N: number): void {
  for (let n = 0; n < N; n++)
    for (let q = 0; q < Q; q++)
      for (let i = 0; i < out; i++)
        for (let j = 0; j < out; j++) {
          let sum = b[q] as number;
          for (let c = 0; c < C; c++)
            for (let u = 0; u < kernel; u++) {
              const from = ((n * C + c) * side + i + u) * side + j;
              const weight = ((q * C + c) * kernel + u) * kernel;
              for (let v = 0; v < kernel; v++) sum += (x[from + v] as number) * (W[weight + v] as number);
            }
          y[((n * Q + q) * out + i) * out + j] = sum;
        }
}

/** ReLU, then the first of the largest. */
function pool({ Q, sides: [, out, after], y, pooled, winners }: Stage, N: number): void {
  for (let i = 0; i < y.length; i++) if ((y[i] as number) < 0) y[i] = 0;
  for (let image = 0; image < N * Q; image++)
    for (let i = 0; i < after; i++)
      for (let j = 0; j < after; j++) {
        const first = (image * out + 2 * i) * out + 2 * j;
        let winner = first;
        for (const place of [first + 1, first + out, first + out + 1])
          if ((y[place] as number) > (y[winner] as number)) winner = place;
        const to = (image * after + i) * after + j;
        pooled[to] = y[winner] as number;
        winners[to] = winner;
      }
}

function unpool({ y, delta, ofPooled, winners }: Stage, _: number): void {
  delta.fill(0);
  for (let i = 0; i < winners.length; i++) {
    const winner = winners[i] as number;
    if ((y[winner] as number) > 0) delta[winner] = ofPooled[i] as number;
  }
}

/** Gradients by sample of W and b, and that in the input. */
function convolveBack(stage: Stage, N: number, ofInput: Numbers | null): void {
  const { C, Q, kernel, sides, W, x, delta, rowsW, rowsB } = stage;
  const [side, out] = sides;
  rowsW.fill(0);
  rowsB.fill(0);
  ofInput?.fill(0);
  for (let n = 0; n < N; n++)
    for (let q = 0; q < Q; q++)
      for (let i = 0; i < out; i++)
        for (let j = 0; j < out; j++) {
          const d = delta[((n * Q + q) * out + i) * out + j] as number;
          if (d === 0) continue;
          rowsB[n * Q + q] = (rowsB[n * Q + q] as number) + d;
          for (let c = 0; c < C; c++)
            for (let u = 0; u < kernel; u++) {
              const from = ((n * C + c) * side + i + u) * side + j;
              const weight = ((q * C + c) * kernel + u) * kernel;
              const row = n * W.length + weight;
              for (let v = 0; v < kernel; v++) {
                rowsW[row + v] = (rowsW[row + v] as number) + d * (x[from + v] as number);
                if (ofInput !== null) ofInput[from + v] = (ofInput[from + v] as number) + d * (W[weight + v] as number);
              }
            }
        }
}
