import type { Tensor } from "@robgrad/tensor";
import type { Variable } from "../variable.js";
import { stack } from "./concat.js";
import { matmul } from "./matmul.js";
import { countedAt, stepOf } from "./recurrence.js";
import { where } from "./where.js";

/** x [B, T, D], h [B, H], U [D, 3H], W [H, 3H], b [3H], d [H]. */
export type GRUInputs = readonly [x: Variable, h: Variable, U: Variable, W: Variable, b: Variable, d: Variable];

/** The gated recurrent unit as a graph of every step's operations. Outputs [B, T, H]. */
export function gruSteps(mask: Tensor | undefined, ...[x, h0, U, W, b, d]: GRUInputs): Variable[] {
  const steps = x.shape[1] as number;
  const hidden = h0.shape[1] as number;
  const outputs: Variable[] = [];
  let h = h0;
  for (let t = 0; t < steps; t++) {
    const own = matmul(stepOf(x, t), U).add(b);
    const recurrent = matmul(h, W);
    const part = (a: Variable, k: number) => a.slice(null, [k * hidden, (k + 1) * hidden]);
    const r = part(own, 0).add(part(recurrent, 0)).sigmoid();
    const u = part(own, 1).add(part(recurrent, 1)).sigmoid();
    const n = part(own, 2)
      .add(r.mul(part(recurrent, 2).add(d)))
      .tanh();
    const output = n.add(u.mul(h.sub(n)));
    const counted = countedAt(mask, t);
    h = counted === undefined ? output : where(counted, output, h);
    outputs.push(h);
  }
  return [stack(outputs, { axis: 1 })];
}
