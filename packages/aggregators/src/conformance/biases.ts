import { concat, denseSamples, type Tensor } from "@robgrad/tensor";
import { aggregate } from "../aggregate.js";
import {
  aLittleIsEnough,
  gaussian,
  inf,
  innerProductManipulation,
  labelFlipping,
  mimic,
  optimalALittleIsEnough,
  optimalInnerProductManipulation,
  signFlipping,
} from "../attacks.js";
import { mapRows, normalRows, type Rows } from "./rows.js";
import type { Subject } from "./subject.js";

/** Gradients of a logistic regression at a point, and what they are where every label is the other one. */
function logisticGradients(count: number): { readonly honest: Rows; readonly flipped: Rows } {
  const x = normalRows(count, 4, 25);
  const errors = x.map((row, n) => {
    const logit = row.reduce((total, value, d) => total + value * [0.5, -1, 0.25, 0.75][d]!, 0);
    const label = n % 3 === 0 ? 0 : 1;
    return { right: 1 / (1 + Math.exp(-logit)) - label, wrong: 1 / (1 + Math.exp(-logit)) - (1 - label) };
  });
  return {
    honest: mapRows(x, (value, n) => value * errors[n]!.right),
    flipped: mapRows(x, (value, n) => value * errors[n]!.wrong),
  };
}

/**
 * How far hostile samples among `count` move a rule's answer from the honest mean by each of the nine attacks, in root
 * mean squares of the honest gradients' distances from their mean. Infinities go through the policy "drop".
 */
export async function biases(
  subject: Subject,
  count: number,
  hostile: number,
): Promise<Readonly<Record<string, number>>> {
  const { device, dtype } = subject;
  const rows = logisticGradients(count - hostile);
  const scope = device.openScope();
  const rng = device.rng(26);
  try {
    const tensor = (values: Rows) => device.tensor(values.flat(), { shape: [values.length, 4], dtype });
    const honest = tensor(rows.honest);
    const mean = honest.mean({ axis: 0 });
    const radius = honest.sub(mean).square().sum({ axis: 1 }).mean().sqrt();
    const key = {};
    const biasUnder = async (attack: (honest: Tensor, count: number) => Tensor) => {
      const all = hostile === 0 ? honest : concat([honest, attack(honest, hostile)]);
      const answers = aggregate(new Map([[key, denseSamples(all)]]), subject.make(), { nonFinite: "drop" });
      return (answers.get(key) as Tensor).sub(mean).square().sum().sqrt().div(radius).item();
    };
    const found: Record<string, number> = {};
    for (const attack of [
      signFlipping(),
      innerProductManipulation(),
      optimalInnerProductManipulation({ rule: subject.make() }),
      aLittleIsEnough(),
      optimalALittleIsEnough({ rule: subject.make() }),
      mimic(),
      inf(),
      gaussian({ rng }),
      labelFlipping({ flipped: tensor(rows.flipped) }),
    ]) {
      found[attack.label] = await biasUnder(attack);
    }
    return found;
  } finally {
    device.closeScope(scope, new Set());
    rng.dispose();
  }
}
