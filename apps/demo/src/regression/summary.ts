import { estimate, median, type Estimate } from "../study/estimate.js";
import type { RegressionRule } from "./regression-study.js";

/** What some studies of the regression found. */
export interface RegressionSummary {
  /** Mean risk of robust gradient descent in the first study. */
  readonly rgd: Estimate;
  /** Mean risk of empirical risk minimization in the first study: heavy-tailed, so that its interval means little. */
  readonly erm: Estimate;
  /** Of the studies' means. */
  readonly medians: Readonly<Record<RegressionRule, number>>;
  readonly ranges: Readonly<Record<RegressionRule, readonly [number, number]>>;
  /** In how many studies the robust mean is the smaller one. */
  readonly robustWins: number;
}

/**
 * Sums up studies with different seeds.
 *
 * @param studies  Risks by study, rule and trial; at least one.
 * @example        summarize([await regressionStudy(device, { trials: 250, seed: 0 })]).rgd.mean
 */
export function summarize(studies: readonly Record<RegressionRule, readonly number[]>[]): RegressionSummary {
  const [first] = studies as [Record<RegressionRule, readonly number[]>];
  const means = studies.map(({ erm, rgd }) => ({ erm: estimate(erm).mean, rgd: estimate(rgd).mean }));
  const of = <T>(f: (values: readonly number[]) => T) => ({
    erm: f(means.map(({ erm }) => erm)),
    rgd: f(means.map(({ rgd }) => rgd)),
  });
  return {
    rgd: estimate(first.rgd),
    erm: estimate(first.erm),
    medians: of(median),
    ranges: of((values) => [Math.min(...values), Math.max(...values)] as const),
    robustWins: means.filter(({ erm, rgd }) => rgd < erm).length,
  };
}
