import { jit, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import type { SequenceWork } from "../../work.js";
import type { Job } from "../peer.js";
import { waitFor } from "./wait.js";

type Arrays = { x: np.Array; U: np.Array; W: np.Array; b: np.Array };

/** The library has no scan: its compiler sees every step. */
export function jaxSequence(work: SequenceWork): Job {
  const { steps, batch, inputs, hidden } = work;
  const data = work.data(work);
  const make = (values: Float64Array, shape: number[]) => np.array(Float32Array.from(values)).reshape(shape);
  const initial: Arrays = {
    x: make(data.x, [batch, steps, inputs]),
    U: make(data.U, [inputs, 4 * hidden]),
    W: make(data.W, [hidden, 4 * hidden]),
    b: make(data.b, [4 * hidden]),
  };
  const meanSquare = ({ x, U, W, b }: Arrays): np.Array => {
    const own = np.matmul(x, U).add(b);
    let h = np.zeros([batch, hidden]);
    let c = np.zeros([batch, hidden]);
    const outputs: np.Array[] = [];
    for (let t = 0; t < steps; t++) {
      const a = own.ref.slice([], t).add(np.matmul(h, W.ref));
      const gate = (k: number) => a.ref.slice([], [k * hidden, (k + 1) * hidden]);
      const [i, f, g, o] = [nn.sigmoid(gate(0)), nn.sigmoid(gate(1)), np.tanh(gate(2)), nn.sigmoid(gate(3))];
      a.dispose();
      c = f.mul(c).add(i.mul(g));
      h = o.mul(np.tanh(c.ref));
      outputs.push(h.ref);
    }
    for (const unused of [own, W, h, c]) unused.dispose();
    return np.mean(np.square(np.stack(outputs, 1)));
  };
  const pass = jit(valueAndGrad(meanSquare));
  let found: np.Array[] = [];
  return {
    reset() {},
    async run(calls) {
      for (let call = 0; call < calls; call++) {
        for (const array of found) array.dispose();
        const { x, U, W, b } = initial;
        const [value, gradients] = pass({ x: x.ref, U: U.ref, W: W.ref, b: b.ref });
        found = [value, gradients.x, gradients.U, gradients.W, gradients.b];
        await waitFor(found);
      }
    },
    values: async () => Promise.all(found.map(async (array) => (await array.ref.data()) as Float32Array)),
  };
}
