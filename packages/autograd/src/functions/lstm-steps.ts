import type { Tensor } from "@robgrad/tensor";
import type { Variable } from "../variable.js";
import { stack } from "./concat.js";
import { matmul } from "./matmul.js";
import { countedAt, stepOf } from "./recurrence.js";
import { where } from "./where.js";

/** x [B, T, D], h and c [B, H], U [D, 4H], W [H, 4H], b [4H]; V three times [H] or [H, H], or nothing. */
export type LSTMInputs = readonly [
  x: Variable,
  h: Variable,
  c: Variable,
  U: Variable,
  W: Variable,
  b: Variable,
  ...V: Variable[],
];

/** What a memory cell adds to a gate: c ∘ V for a vector, c V for a matrix. */
const peep = (c: Variable, V: Variable): Variable => (V.shape.length === 1 ? c.mul(V) : matmul(c, V));

/** The Graves LSTM as a graph of every step's operations. Outputs [B, T, H] and the last c. */
export function lstmSteps(mask: Tensor | undefined, ...[x, h0, c0, U, W, b, Vi, Vf, Vo]: LSTMInputs): Variable[] {
  const steps = x.shape[1] as number;
  const hidden = h0.shape[1] as number;
  const outputs: Variable[] = [];
  let [h, c] = [h0, c0];
  for (let t = 0; t < steps; t++) {
    const a = matmul(stepOf(x, t), U).add(matmul(h, W)).add(b);
    const part = (k: number, V?: Variable, cell?: Variable): Variable => {
      const own = a.slice(null, [k * hidden, (k + 1) * hidden]);
      return V === undefined || cell === undefined ? own : own.add(peep(cell, V));
    };
    const i = part(0, Vi, c).sigmoid();
    const f = part(1, Vf, c).sigmoid();
    const g = part(2).tanh();
    const cell = f.mul(c).add(i.mul(g));
    const o = part(3, Vo, cell).sigmoid();
    const output = o.mul(cell.tanh());
    const counted = countedAt(mask, t);
    h = counted === undefined ? output : where(counted, output, h);
    c = counted === undefined ? cell : where(counted, cell, c);
    outputs.push(h);
  }
  return [stack(outputs, { axis: 1 }), c];
}
