import { generator, type Generator } from "@robgrad/tensor";

/** The random numbers of one trial. */
export interface TrialGenerators {
  /** Split and displaced rows. */
  readonly data: Generator;
  /** Initial weights. */
  readonly weights: Generator;
}

/**
 * The generators of one trial, which follow from seed and trial number alone.
 *
 *   trial k takes split number k of generator(seed), and from it one split for the data and one for the weights
 *
 * So trials run in any order and on any thread, every variant of a trial meets the same data and weights, and a longer
 * study begins with the trials of a shorter one.
 *
 * @param seed   A whole number in [0, 2⁵³).
 * @param trial  Counted from 0.
 * @throws       BAD_ARGUMENT for another seed.
 * @example      const { data } = trialGenerators(0, 3);
 */
export function trialGenerators(seed: number, trial: number): TrialGenerators {
  const root = generator(seed);
  for (let earlier = 0; earlier < trial; earlier++) root.split();
  const own = root.split();
  return { data: own.split(), weights: own.split() };
}
