import { curveIterations } from "./curve-iterations.js";
import { figureThreeData } from "./figure-three-data.js";
import type { StudySettings } from "./settings.js";
import type { StudyResult } from "./study-result.js";
import { trialData } from "./trial-data.js";

/**
 * A study before its first trial.
 *
 * @param variants  Those taking part, in the order of the table.
 * @param versions  Of what its numbers will come from.
 * @example         const study = blankStudy(settings, variantsOf(settings, null), {});
 */
export function blankStudy(
  settings: StudySettings,
  variants: StudyResult["variants"],
  versions: StudyResult["versions"],
): StudyResult {
  const { train, test } = trialData(settings, 0);
  return {
    format: 1,
    settings,
    variants: variants.map(({ name, label, meaning }) => ({ name, label, meaning })),
    iterations: curveIterations(settings.iterations),
    samples: { train: train.x.shape[0]!, test: test.x.shape[0]! },
    versions,
    figureThree: figureThreeData(settings),
    trials: [],
  };
}
