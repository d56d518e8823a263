import { iris, principalComponents, pushOutliers, trainTestSplit, unitSquare, type HostArray } from "@robgrad/datasets";
import { protocols, trainSize } from "./protocol.js";
import type { StudySettings } from "./settings.js";
import { trialGenerators } from "./trial-generators.js";

/** The samples of one trial on the host. */
export interface TrialData {
  /** 100 training rows, some of them displaced. */
  readonly train: { readonly x: HostArray; readonly labels: HostArray<Int32Array> };
  /** 50 clean test rows. */
  readonly test: { readonly x: HostArray; readonly labels: HostArray<Int32Array> };
  /** Displaced training rows, ascending. */
  readonly displaced: Int32Array;
  /** Training rows after projection, before normalization. */
  readonly projected: HostArray;
  /** Training rows after normalization, before any is displaced. */
  readonly plane: HostArray;
}

/**
 * The data of one trial.
 *
 *   150 flowers → random split 100 / 50 → two principal components → unit square → ⌈fraction·100⌉ training rows
 *   pushed to distance kσ on the other side of the mean
 *
 * `code` fits components and square to all 150 flowers, `text` to the 100 training rows. Test rows and all labels stay
 * clean.
 *
 * @param settings  Seed, fraction, factor k and protocol.
 * @param trial     Counted from 0.
 * @throws          BAD_ARGUMENT when seed, fraction or factor is out of range.
 * @see             Tutorial, §5 and Figure 3.
 * @example         const { train, test, displaced } = trialData({ seed: 0, fraction: 0.02, factor: 1e4, protocol: "code" }, 0);
 */
export function trialData(
  { seed, fraction, factor, protocol }: Pick<StudySettings, "seed" | "fraction" | "factor" | "protocol">,
  trial: number,
): TrialData {
  const { fitTo, correction } = protocols[protocol];
  const { data: generator } = trialGenerators(seed, trial);
  const { features, labels } = iris();
  const { train, test } = trainTestSplit({ x: features, labels }, { trainSize, generator });

  const fitted = fitTo === "all" ? features : train.x;
  const project = (x: HostArray) => principalComponents(x, { components: 2, fitTo: fitted });
  const normalize = (x: HostArray) => unitSquare(project(x), { fitTo: project(fitted) });

  const plane = normalize(train.x);
  const pushed = pushOutliers(plane, { fraction, factor, generator, correction });
  return {
    train: { x: pushed, labels: train.labels },
    test: { x: normalize(test.x), labels: test.labels },
    displaced: pushed.rows,
    projected: project(train.x),
    plane,
  };
}
