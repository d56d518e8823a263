import type { Grouping } from "@robgrad/aggregators";
import type { Attack } from "@robgrad/aggregators/attacks";
import { concat, concatenated, denseSamples, type SampleMatrix, type Tensor } from "@robgrad/tensor";

/**
 * The gradients of a batch in which hostile samples send rows of an attacker, who sees what the rule sees as one vector.
 *
 * Forms N × D.
 *
 * @param gradients  One sample matrix per parameter, the honest samples first.
 * @param group      Which parameters are one vector.
 * @param order      int32 [N]: where row n of the answer stands among the honest rows and, behind them, the hostile ones.
 * @param hostile    How many samples are hostile.
 * @param attack     Makes the attack from the hostile samples' own rows [hostile, D].
 * @example          attackedGradients(gradients, all, order, 10, () => signFlipping())
 */
export function attackedGradients<P>(
  gradients: ReadonlyMap<P, SampleMatrix>,
  group: Grouping<P>,
  order: Tensor,
  hostile: number,
  attack: (own: Tensor) => Attack,
): Map<P, SampleMatrix> {
  const groups = new Map<unknown, P[]>();
  for (const parameter of gradients.keys()) {
    const key = group(parameter);
    groups.set(key, [...(groups.get(key) ?? []), parameter]);
  }
  const found = new Map<P, SampleMatrix>();
  for (const parameters of groups.values()) {
    const parts = parameters.map((parameter) => gradients.get(parameter)!);
    const matrix = concatenated(parts);
    const rows = matrix.rows();
    const [honest, own] = [
      rows.slice([0, matrix.samples - hostile]),
      rows.slice([matrix.samples - hostile, matrix.samples]),
    ];
    const sent = concat([honest, attack(own)(honest, hostile)]).gather(order);
    let start = 0;
    parts.forEach(({ samples, features, shape }, k) => {
      const columns = sent.slice(null, [start, (start += features)]);
      found.set(parameters[k]!, denseSamples(columns.reshape([samples, ...shape])));
    });
  }
  return found;
}
