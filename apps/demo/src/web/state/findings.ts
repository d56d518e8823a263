import { computed, effect, signal } from "@preact/signals";
import { blankStudy } from "../../study/blank-study.js";
import { inOrder } from "../../study/in-order.js";
import type { StudySettings } from "../../study/settings.js";
import type { StudyResult, TrialResult } from "../../study/study-result.js";
import { variantNames, variantsOf } from "../../study/variants.js";
import { Background } from "../background.js";
import { versions } from "../versions.js";
import { tellStopped } from "./background-trouble.js";
import { playing } from "./live.js";
import { page } from "./store.js";

/** Whether trials are run while they are seen. */
export const running = signal(true);

/** All that the numbers follow from, as text; more trials are more of the same. */
const written = computed(() => {
  const { iterations, seed, fraction, factor, protocol, device } = page.value;
  const rest = { variants: variantNames, rule: null, dtype: "float32" } as const;
  return JSON.stringify({ iterations, seed, fraction, factor, protocol, device, ...rest });
});

/** As the command line has them, of one trial. */
const ofOneTrial = computed<StudySettings>(() => ({
  ...(JSON.parse(written.value) as Omit<StudySettings, "trials">),
  trials: 1,
}));
const trials = computed(() => page.value.trials);

const done = signal<ReadonlyMap<number, TrialResult>>(new Map());
const inWork = new Set<number>();
let begun: unknown = null;

const blank = computed(() => blankStudy(ofOneTrial.value, variantsOf(ofOneTrial.value, null), versions()));

/** The study with the trials that are finished. */
export const study = computed<StudyResult>(() => ({
  ...blank.value,
  settings: { ...ofOneTrial.value, trials: trials.value },
  trials: inOrder(done.value.values()).filter(({ trial }) => trial < trials.value),
}));

/**
 * Runs trials as long as they are seen.
 *
 * @returns  Ends it.
 */
export function openStudy(): () => void {
  playing.value = false;
  let background: Background<number, TrialResult> | null = null;
  const stop = effect(() => {
    if (written.value !== begun) {
      begun = written.value;
      done.value = new Map();
    }
    if (!running.value) return;
    inWork.clear();
    const settings = ofOneTrial.value;
    background = new Background(page.peek().device, {
      next,
      ask: (engine, trial) => engine.trial(settings, trial),
      answered: (trial, result) => {
        done.value = new Map(done.peek()).set(trial, result);
      },
      failed: (error) => {
        running.value = false;
        tellStopped("The study", error, () => (running.value = true));
      },
    });
    return () => {
      background?.close();
      background = null;
    };
  });
  const stopFollowing = effect(() => {
    if (trials.value > done.peek().size) background?.wake();
  });
  return () => {
    stopFollowing();
    stop();
  };
}

/** The first trial that nobody has run or is at. */
function next(): number | null {
  for (let trial = 0; trial < trials.peek(); trial++) {
    if (done.peek().has(trial) || inWork.has(trial)) continue;
    inWork.add(trial);
    return trial;
  }
  return null;
}
