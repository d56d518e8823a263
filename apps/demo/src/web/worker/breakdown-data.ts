import { dataContaminations } from "../../leaderboard/data-contaminations.js";
import { trialData, type TrialData } from "../../study/trial-data.js";
import { trialGenerators } from "../../study/trial-generators.js";
import type { BreakdownTask } from "../breakdown-cell.js";

/**
 * The rows of one trial of the breakdown lab. Displaced rows are those of the study for the same fraction and factor;
 * labels and features are spoilt as in the leaderboard, on the study's rows. A trial's split is the same in all cells.
 *
 * @example  const { train } = breakdownData({ settings, cell: { kind: "flips", fraction: 0.1, strength: 1 }, trial: 0 });
 */
export function breakdownData({
  settings: { seed, protocol },
  cell: { kind, fraction, strength },
  trial,
}: Pick<BreakdownTask, "settings" | "cell" | "trial">): Pick<TrialData, "train" | "test"> {
  if (kind === "displaced") return trialData({ seed, protocol, fraction, factor: strength }, trial);
  const { plane, train, test } = trialData({ seed, protocol, fraction: 0, factor: 1 }, trial);
  const generator = trialGenerators(seed, trial).data.split();
  const dose = { fraction, strength, generator, classes: 3 };
  const spoilt = dataContaminations[kind].apply({ x: plane, target: train.labels }, dose);
  return { train: { x: spoilt.x, labels: spoilt.target as typeof train.labels }, test };
}
