import { codedError, type Tensor } from "@robgrad/tensor";
import type { Variable } from "../variable.js";
import { pushforward, type Outputs } from "./pushforward.js";

/** A value with its tangent. */
export interface Pushforward<Y extends Outputs> {
  readonly value: Y;
  /** J v, in the shape of the value. */
  readonly tangent: Y;
}

/**
 * A function's value with its Jacobian-vector product: forward mode.
 *
 *   tangent = J v,   J = ∂f/∂x
 *
 * @param f  Of one Variable, or of several where x is a list; returns a Variable of any shape, or a list: many outputs
 *           share one sweep.
 * @param x  Where: a Variable or tensor, or a list of them.
 * @param v  The direction, in the shape of x; in a list, null stands for zeros.
 * @returns  `value` and `tangent`.
 * @throws   SHAPE_MISMATCH or DTYPE_MISMATCH when v has another form than x; BAD_PLUGIN for a node that can be
 *           differentiated neither forward nor twice backward.
 * @see      Tutorial, §1.1, Table 2.
 * @example  const { value, tangent } = jvp((x) => x.sin(), device.tensor([0, 1]), device.ones([2]));
 */
export function jvp<Y extends Outputs>(
  f: (x: Variable) => Y,
  x: Variable | Tensor,
  v: Variable | Tensor,
): Pushforward<Y>;
export function jvp<A extends readonly Variable[], Y extends Outputs>(
  f: (...args: A) => Y,
  x: { readonly [K in keyof A]: Variable | Tensor },
  v: { readonly [K in keyof A]: Variable | Tensor | null },
): Pushforward<Y>;
export function jvp<Y extends Outputs>(
  f: (...args: Variable[]) => Y,
  x: Variable | Tensor | readonly (Variable | Tensor)[],
  v: Variable | Tensor | readonly (Variable | Tensor | null)[],
): Pushforward<Y> {
  const args = isList(x) ? x : [x];
  const direction = isList(v) ? v : [v];
  if (args.length !== direction.length) {
    throw codedError(
      "BAD_ARGUMENT",
      `jvp: expected one tangent for each of ${args.length} arguments, found ${direction.length}`,
    );
  }
  const { returned, tangents } = pushforward("jvp", f, args, [direction]);
  const along = tangents.map(([tangent]) => tangent as Variable);
  return { value: returned, tangent: (isList(returned) ? along : along[0]) as Y };
}

function isList<T>(x: T | readonly T[]): x is readonly T[] {
  return Array.isArray(x);
}
