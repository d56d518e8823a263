import { figureFactor, protocols } from "./protocol.js";
import type { StudySettings } from "./settings.js";
import { pointsOf, spreadOf, type Point } from "./spread.js";
import { trialData } from "./trial-data.js";

/** What Figure 3 shows: the training rows of the first trial at three stages. */
export interface FigureThreeData {
  /** k = 10 whatever the study's factor, which would leave one dot and two far away. */
  readonly factor: number;
  readonly labels: readonly number[];
  readonly projected: readonly Point[];
  readonly normalized: readonly Point[];
  readonly perturbed: readonly Point[];
  readonly displaced: readonly number[];
  /** The circle on which displaced points land: centre x̄ and radius kσ. */
  readonly ball: { readonly centre: Point; readonly radius: number };
}

/**
 * The data of Figure 3, for the first trial of a study.
 *
 *   ball: centre x̄, radius kσ, k = 10, σ² = var ‖xₙ − x̄‖ over the normalized training rows
 *
 * @see      Tutorial, Figure 3.
 * @example  const { ball } = figureThreeData({ seed: 0, fraction: 0.02, protocol: "code" });
 */
export function figureThreeData(settings: Pick<StudySettings, "seed" | "fraction" | "protocol">): FigureThreeData {
  const { train, projected, plane, displaced } = trialData({ ...settings, factor: figureFactor }, 0);
  const normalized = pointsOf(plane);
  const { centre, deviation } = spreadOf(normalized, protocols[settings.protocol].correction);
  return {
    factor: figureFactor,
    labels: [...train.labels.values],
    projected: pointsOf(projected),
    normalized,
    perturbed: pointsOf(train.x),
    displaced: [...displaced],
    ball: { centre, radius: figureFactor * deviation },
  };
}
