import { jit, numpy as np } from "@jax-js/jax";
import type { Rule } from "../../work.js";

/** [N, …] → […], which can be traced. */
export function traceable(rule: Rule): ((rows: np.Array) => np.Array) | null {
  switch (rule.kind) {
    case "mean":
      return (rows) => np.mean(rows, 0);
    case "soft":
      return (rows) => softTruncated(rows, rule.delta);
    default:
      return null;
  }
}

function softTruncated(rows: np.Array, delta: number): np.Array {
  const samples = rows.shape[0] as number;
  const mean = np.mean(rows.ref, 0);
  const centered = rows.sub(mean.ref);
  const variance = np.sum(np.square(centered.ref), 0).div(samples - 1);
  const width = np.sqrt(variance).mul(Math.sqrt(samples / (2 * Math.log(1 / delta))));
  const perWidth = np.where(width.ref.greater(0), np.reciprocal(width.ref), 0);
  const c = np.clip(centered.mul(perWidth), -Math.SQRT2, Math.SQRT2);
  const psi = c.ref.sub(
    np
      .square(c.ref)
      .mul(c)
      .mul(1 / 6),
  );
  return mean.add(width.mul(np.mean(psi, 0)));
}

/** [N, …] → […] in functions that are jitted one by one: the library sorts the last axis of a stored array alone. */
export function untraceable(rule: Rule): ((rows: np.Array) => np.Array) | null {
  switch (rule.kind) {
    case "median": {
      const ofLastAxis = jit(median);
      return (rows) => ofLastAxis(np.moveaxis(rows, 0, -1));
    }
    case "huber": {
      const ofLastAxis = huber(rule.tolerance, rule.maximum);
      return (rows) => ofLastAxis(np.moveaxis(rows, 0, -1));
    }
    default:
      return null;
  }
}

/** [… , N] → […] */
function median(columns: np.Array): np.Array {
  const samples = columns.shape.at(-1) as number;
  const sorted = np.sort(columns);
  const all = columns.shape.slice(1).map((): [] => []);
  const half = Math.floor(samples / 2);
  if (samples % 2 === 1) return sorted.slice(...all, half);
  return sorted.ref
    .slice(...all, half - 1)
    .add(sorted.slice(...all, half))
    .mul(0.5);
}

/** […, N] → […]. The library has no loops: the host asks after every turn whether a coordinate still moves. */
function huber(tolerance: number, maximum: number): (columns: np.Array) => np.Array {
  const k = 1.345;
  const start = jit((columns: np.Array) => {
    const theta = median(columns.ref);
    const s = median(np.abs(columns.sub(np.expandDims(theta.ref, -1)))).mul(1.4826);
    return { theta, s };
  });
  const turn = jit((columns: np.Array, theta: np.Array, s: np.Array, active: np.Array) => {
    const perScale = np.where(s.ref.greater(0), np.reciprocal(s.ref), 0);
    const u = columns.sub(np.expandDims(theta.ref, -1)).mul(np.expandDims(perScale, -1));
    const share = active.ref.mul(np.mean(np.clip(u, -k, k), -1));
    const still = active.mul(np.where(np.abs(share.ref).greater(tolerance), 1, 0));
    return { theta: theta.add(s.mul(share)), active: still.ref, any: np.max(still) };
  });
  return (columns) => {
    const { theta: median, s } = start(columns.ref);
    let theta = median;
    let active = np.ones(theta.shape);
    for (let count = 0; count < maximum; count++) {
      const next = turn(columns.ref, theta, s.ref, active);
      ({ theta, active } = next);
      if (next.any.item() === 0) break;
    }
    for (const array of [columns, s, active]) array.dispose();
    return theta;
  };
}
