import { principalComponents, type HostArray } from "@robgrad/datasets";
import { distrustRules, robustRules, type DistrustRule, type ModelView } from "./distrust.js";
import type { OwnSamples } from "./own-samples.js";

/** A row with what the models say of it. */
export interface RankedRow {
  /** As counted in the file. */
  readonly row: number;
  /** Mean of the robust rules' losses: −ln of the probability that they give to the row's label. */
  readonly distrust: number;
  readonly losses: Readonly<Record<DistrustRule, number>>;
  /** Whether its label was planted; null where that is not known. */
  readonly planted: boolean | null;
  readonly label: string;
  /** What most robust rules say instead. */
  readonly says: string;
  /** Of the gradient, under the rule that clips at a quantile. */
  readonly norm: number;
  /** What that rule let it count, 1 for all. */
  readonly weight: number;
  readonly cells: readonly string[];
}

/** A row in the plane of two principal components. */
export interface RankedPoint {
  readonly x: number;
  readonly y: number;
  readonly label: number;
  /** Counted from 0, the most distrusted first. */
  readonly rank: number;
}

/** All rows, the most distrusted first. */
export function ranked(
  { rows, labels, classNames }: OwnSamples,
  views: Readonly<Record<DistrustRule, ModelView>>,
  planted: ReadonlySet<number> | null,
): { readonly order: readonly number[]; readonly list: readonly RankedRow[] } {
  const distrust = rows.map(
    (_, k) => robustRules.reduce((sum, rule) => sum + views[rule].losses[k]!, 0) / robustRules.length,
  );
  const order = rows.map((_, k) => k).sort((a, b) => distrust[b]! - distrust[a]! || a - b);
  const { norms } = views.quantile;
  const threshold = norms.slice().sort()[Math.floor(0.8 * (norms.length - 1))]!;
  const names = Object.keys(distrustRules) as DistrustRule[];
  const list = order.map((k): RankedRow => {
    const { row, cells } = rows[k]!;
    return {
      row,
      distrust: distrust[k]!,
      losses: Object.fromEntries(names.map((name) => [name, views[name].losses[k]!])) as Record<DistrustRule, number>,
      planted: planted === null ? null : planted.has(row),
      label: classNames[labels.values[k]!]!,
      says: classNames[mostSaid(robustRules.map((rule) => views[rule].says[k]!))]!,
      norm: norms[k]!,
      weight: norms[k]! > threshold ? threshold / norms[k]! : 1,
      cells,
    };
  });
  return { order, list };
}

/** The rows in the plane of the components of the half that is least distrusted: far rows do not turn it. */
export function rankedPlane({ x, labels }: OwnSamples, order: readonly number[]): readonly RankedPoint[] {
  const width = x.shape[1]!;
  const trusted = order.slice(order.length >> 1);
  const of = (k: number) => x.values.slice(k * width, (k + 1) * width);
  const fitTo: HostArray = {
    values: Float64Array.from(trusted.flatMap((k) => Array.from(of(k)))),
    shape: [trusted.length, width],
  };
  const wide = width > 1;
  const { values } = wide ? principalComponents(x, { components: 2, fitTo }) : x;
  return order.map((k, rank) => ({
    x: values[wide ? 2 * k : k]!,
    y: wide ? values[2 * k + 1]! : 0,
    label: labels.values[k]!,
    rank,
  }));
}

const mostSaid = (said: readonly number[]): number =>
  said.reduce((best, label) => {
    const votes = (of: number) => said.filter((other) => other === of).length;
    return votes(label) > votes(best) ? label : best;
  });
