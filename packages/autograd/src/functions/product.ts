import type { AxisOptions } from "@robgrad/tensor";
import { normalizeAxes } from "@robgrad/tensor/kernels";
import { isFollowed } from "../recording.js";
import type { Variable } from "../variable.js";
import { makeVariable } from "../variable-node.js";
import { concat } from "./concat.js";
import { permute } from "./permute.js";
import { reshape } from "./reshape.js";
import { slice } from "./slice.js";
import { keptShape } from "./sum.js";

/**
 * Π over axes, halving what is left until one factor remains: every gradient is a product of the other factors, so
 * zeros among them do no harm and derivatives of all orders exist.
 */
export function product(x: Variable, { axis, keepdims = false }: AxisOptions = {}): Variable {
  const { shape } = x;
  const axes = normalizeAxes("product", axis, shape.length);
  const others = shape.map((_, k) => k).filter((k) => !axes.includes(k));
  const rest = others.map((k) => shape[k] as number);
  const result = keepdims ? keptShape(shape, axes) : rest;
  if (!isFollowed(x) || x.size === 0) return makeVariable(x.current.product({ axis, keepdims }));
  let factors = reshape(permute(x, [...axes, ...others]), [-1, ...rest]);
  for (let count = factors.shape[0] as number; count > 1; count = factors.shape[0] as number) {
    const half = count >> 1;
    const pairs = slice(factors, [[0, half]]).mul(slice(factors, [[half, 2 * half]]));
    factors = count % 2 === 0 ? pairs : concat([pairs, slice(factors, [[count - 1, count]])]);
  }
  return reshape(factors, result);
}
