import { defineAggregator, type Aggregator } from "@robgrad/aggregators";
import { where, type Scalar } from "@robgrad/tensor";

const root = Math.sqrt(2);

/** Soft truncation as somebody else might write it, from its formula and the public interface. */
export function strangersTruncation(delta: number): Aggregator {
  const psi = (u: Scalar) => {
    const v = u.maximum(-root).minimum(root);
    return v.sub(v.pow(3).div(6));
  };
  return defineAggregator("stranger's truncation", (g) => {
    const s = Math.sqrt(g.samples / (2 * Math.log(1 / delta)));
    return g.columns((c) => {
      const m = c.mean();
      const variance = c.mean((x) => x.sub(m).square()).mul(g.samples / (g.samples - 1));
      const width = variance.sqrt().mul(s);
      const safe = where(width.greater(0), width, 1);
      return c
        .mean((x) => psi(x.sub(m).div(safe)))
        .mul(width)
        .add(m);
    });
  });
}
