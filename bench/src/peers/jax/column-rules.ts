import { jit, numpy as np } from "@jax-js/jax";
import type { Rule } from "../../work.js";

/** [N, …] → […], which can be traced. */
export function traceable(rule: Rule): ((rows: np.Array) => np.Array) | null {
  switch (rule.kind) {
    case "mean":
      return (rows) => np.mean(rows, 0);
    case "soft":
      return (rows) => softTruncated(rows, rule.delta);
    case "median":
      return median;
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

function median(rows: np.Array): np.Array {
  const samples = rows.shape[0] as number;
  const sorted = np.sort(rows, 0);
  const half = Math.floor(samples / 2);
  if (samples % 2 === 1) return sorted.slice(half);
  return sorted.ref
    .slice(half - 1)
    .add(sorted.slice(half))
    .mul(0.5);
}

/** [N, …] → […]. The library has no loops: the host asks after every turn whether a coordinate still moves. */
export function huberRule(tolerance: number, maximum: number): (rows: np.Array) => np.Array {
  const k = 1.345;
  const start = jit((rows: np.Array) => {
    const theta = median(rows.ref);
    const s = median(np.abs(rows.sub(theta.ref))).mul(1.4826);
    return { theta, s };
  });
  const turn = jit((rows: np.Array, theta: np.Array, s: np.Array, active: np.Array) => {
    const perScale = np.where(s.ref.greater(0), np.reciprocal(s.ref), 0);
    const u = rows.sub(theta.ref).mul(perScale);
    const share = active.ref.mul(np.mean(np.clip(u, -k, k), 0));
    const still = active.mul(np.where(np.abs(share.ref).greater(tolerance), 1, 0));
    return { theta: theta.add(s.mul(share)), active: still.ref, any: np.max(still) };
  });
  return (rows) => {
    const { theta: median, s } = start(rows.ref);
    let theta = median;
    let active = np.ones(theta.shape);
    for (let count = 0; count < maximum; count++) {
      const next = turn(rows.ref, theta, s.ref, active);
      ({ theta, active } = next);
      if (next.any.item() === 0) break;
    }
    for (const array of [rows, s, active]) array.dispose();
    return theta;
  };
}
