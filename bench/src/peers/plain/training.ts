import { ruleOf, type TrainingWork } from "../../work.js";
import type { Job, Numbers } from "../peer.js";
import { blockStarts, geometricMedianWeights, squaredDistances } from "../weiszfeld.js";
import { candidates } from "./candidates.js";
import { columnRule, type ColumnRule, type Tally } from "./column-rules.js";
import type { ArrayOf } from "./plain.js";
import { softmaxCrossEntropy } from "./softmax-cross-entropy.js";

/** A layer, what goes in and out of it, and the gradients of both. */
interface Layer {
  readonly P: number;
  readonly Q: number;
  /** [Q, P] and [Q] */
  readonly W: Numbers;
  readonly b: Numbers;
  /** [N, P], the layer before's output. */
  readonly x: Numbers;
  /** [N, Q], after ReLU but in the last layer. */
  readonly y: Numbers;
  /** [N, Q]: gradient of every sample's own loss in y before ReLU. */
  readonly delta: Numbers;
  readonly gradientW: Numbers;
  readonly gradientB: Numbers;
}

/** Weights of a layer from which on the wasm device looks for candidates. */
const leastBounded = 512;

export function plainTraining(work: TrainingWork, Values: ArrayOf): Job {
  const { samples: N, widths, stepSize } = work;
  const data = work.data();
  const copy = (values: ArrayLike<number>) => {
    const made = new Values(values.length);
    made.set(values);
    return made;
  };

  const layers: Layer[] = [];
  for (const [k, { W, b }] of data.layers.entries()) {
    const [P, Q] = [widths[k] as number, widths[k + 1] as number];
    layers.push({
      P,
      Q,
      W: copy(W),
      b: copy(b),
      x: layers.at(-1)?.y ?? copy(data.x),
      y: new Values(N * Q),
      delta: new Values(N * Q),
      gradientW: new Values(Q * P),
      gradientB: new Values(Q),
    });
  }
  const last = layers.at(-1) as Layer;
  const tally: Tally = { values: 0, truncated: 0 };
  const gradients = gradientsOf(work, layers, tally);
  const loss = new Values(1);
  /** Of the weights in the last step. */
  const bounds = () => {
    const bounded = layers.map((layer, k) => [layer, ruleOf(work, k)] as const);
    let [found, of] = [0, 0];
    for (const [{ P, Q, delta, x }, rule] of bounded) {
      // Small layers are walked as they are.
      if (rule.kind !== "soft" || P * Q < leastBounded) continue;
      found += candidates(delta, x, N, rule.delta);
      of += N * P * Q;
    }
    return of === 0 ? {} : { "share of candidates, by bounds of 8 weights in float64": found / of };
  };

  const step = () => {
    for (const layer of layers) forward(layer, N, layer !== last);
    loss[0] = softmaxCrossEntropy(last, N, data.labels);
    for (let k = layers.length - 1; k > 0; k--) backward(layers[k] as Layer, layers[k - 1] as Layer, N);
    gradients();
    for (const { W, b, gradientW, gradientB } of layers) {
      for (let i = 0; i < W.length; i++) W[i] = (W[i] as number) - stepSize * (gradientW[i] as number);
      for (let i = 0; i < b.length; i++) b[i] = (b[i] as number) - stepSize * (gradientB[i] as number);
    }
  };

  return {
    reset() {
      layers.forEach(({ W, b }, k) => {
        W.set(data.layers[k]?.W as Float64Array);
        b.set(data.layers[k]?.b as Float64Array);
      });
    },
    run(calls) {
      for (let call = 0; call < calls; call++) step();
    },
    values: () => [loss, ...layers.flatMap(({ W, b }) => [W, b])],
    notes: () => (tally.values > 0 ? { "share truncated": tally.truncated / tally.values, ...bounds() } : {}),
  };
}

/** y = x Wᵀ + b, and ReLU. */
function forward({ P, Q, W, b, x, y }: Layer, N: number, relu: boolean): void {
  for (let n = 0; n < N; n++) {
    for (let q = 0; q < Q; q++) {
      let sum = b[q] as number;
      for (let p = 0; p < P; p++) sum += (x[n * P + p] as number) * (W[q * P + p] as number);
      y[n * Q + q] = relu && sum < 0 ? 0 : sum;
    }
  }
}

/** δ of the layer before: δ W where its ReLU let something through. */
function backward({ P, Q, W, delta }: Layer, before: Layer, N: number): void {
  before.delta.fill(0);
  for (let n = 0; n < N; n++) {
    for (let q = 0; q < Q; q++) {
      const d = delta[n * Q + q] as number;
      for (let p = 0; p < P; p++) {
        before.delta[n * P + p] = (before.delta[n * P + p] as number) + d * (W[q * P + p] as number);
      }
    }
    for (let p = 0; p < P; p++) if (before.y[n * P + p] === 0) before.delta[n * P + p] = 0;
  }
}

/** What combines the samples' gradients and leaves the result with the layers. */
function gradientsOf(work: TrainingWork, layers: readonly Layer[], tally: Tally): () => void {
  const { samples: N, rule } = work;
  if (rule.kind === "gmom") {
    const groups = rule.grouping === "all" ? [layers] : layers.map((layer) => [layer]);
    const starts = blockStarts(N, rule.blocks);
    return () => groups.forEach((group) => geometricMedianOfMeans(group, starts, rule.tolerance));
  }
  const values = new Float64Array(N);
  const perLayer = layers.map((layer, k) => {
    const column = columnRule(ruleOf(work, k), tally);
    if (column === null) return () => mean(layer, 0, N, layer.gradientW, layer.gradientB);
    return () => byCoordinate(layer, column, values);
  });
  return () => perLayer.forEach((combine) => combine());
}

/** Mean gradient of the samples start … stop − 1. */
function mean({ P, Q, x, delta }: Layer, start: number, stop: number, W: Numbers, b: Numbers): void {
  W.fill(0);
  b.fill(0);
  const share = 1 / (stop - start);
  for (let n = start; n < stop; n++) {
    for (let q = 0; q < Q; q++) {
      const d = share * (delta[n * Q + q] as number);
      if (d === 0) continue;
      b[q] = (b[q] as number) + d;
      for (let p = 0; p < P; p++) W[q * P + p] = (W[q * P + p] as number) + d * (x[n * P + p] as number);
    }
  }
}

function byCoordinate(layer: Layer, rule: ColumnRule, values: Float64Array): void {
  const { P, Q, x, delta, gradientW, gradientB } = layer;
  const N = values.length;
  const columns = new Float64Array(P * N);
  for (let n = 0; n < N; n++) for (let p = 0; p < P; p++) columns[p * N + n] = x[n * P + p] as number;
  const own = new Float64Array(N);
  for (let q = 0; q < Q; q++) {
    for (let n = 0; n < N; n++) own[n] = delta[n * Q + q] as number;
    for (let p = 0; p < P; p++) {
      for (let n = 0; n < N; n++) values[n] = (own[n] as number) * (columns[p * N + n] as number);
      gradientW[q * P + p] = rule(values);
    }
    values.set(own);
    gradientB[q] = rule(values);
  }
}

function geometricMedianOfMeans(group: readonly Layer[], starts: readonly number[], tolerance: number): void {
  const blocks = starts.length - 1;
  const length = group.reduce((sum, { W, b }) => sum + W.length + b.length, 0);
  const means = Array.from({ length: blocks }, (_, k) => {
    const row = new Float64Array(length);
    let place = 0;
    for (const layer of group) {
      const W = row.subarray(place, (place += layer.W.length));
      const b = row.subarray(place, (place += layer.b.length));
      mean(layer, starts[k] as number, starts[k + 1] as number, W, b);
    }
    return row;
  });
  const weights = geometricMedianWeights(squaredDistances(means), blocks, tolerance);
  let place = 0;
  for (const { gradientW, gradientB } of group) {
    for (const gradient of [gradientW, gradientB]) {
      gradient.fill(0);
      for (const [k, row] of means.entries()) {
        const weight = weights[k] as number;
        for (let i = 0; i < gradient.length; i++)
          gradient[i] = (gradient[i] as number) + weight * (row[place + i] as number);
      }
      place += gradient.length;
    }
  }
}
