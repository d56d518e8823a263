import { toDevice } from "@robgrad/datasets";
import { codedError, hasCode, type Device } from "@robgrad/tensor";
import { initialWeights, type LayerWeights } from "./network.js";
import type { StudySettings } from "./settings.js";
import type { TrainingResult, TrialResult } from "./study-result.js";
import { Training, type TrialSamples } from "./training.js";
import { trialData } from "./trial-data.js";
import { trialGenerators } from "./trial-generators.js";
import type { Variant } from "./variants.js";

/**
 * Runs trials of a study: every variant from the same data and initial weights.
 *
 * A trial's result follows from settings and its number alone, but for the measured times.
 *
 * @example  const result = await new Trials(device, settings, variantsOf(settings, null)).run(0);
 */
export class Trials {
  readonly #device: Device;
  readonly #settings: StudySettings;
  readonly #variants: readonly Variant[];
  /** Of variants that keep their recording from trial to trial. */
  readonly #trainings = new Map<Variant, Training>();

  /**
   * @param device    Where to train.
   * @param settings  Of the study.
   * @param variants  Those taking part.
   */
  constructor(device: Device, settings: StudySettings, variants: readonly Variant[]) {
    this.#device = device;
    this.#settings = settings;
    this.#variants = variants;
  }

  /**
   * @param trial  Counted from 0.
   * @throws       Rejects with what a rule throws, and with BAD_DATA when a gradient is no longer finite.
   */
  async run(trial: number): Promise<TrialResult> {
    const { seed, dtype } = this.#settings;
    const data = trialData(this.#settings, trial);
    const weights = initialWeights(trialGenerators(seed, trial).weights);
    const samples = toDevice({ train: data.train, test: data.test }, this.#device, { dtype });
    const results: Record<string, TrainingResult> = {};
    try {
      for (const variant of this.#variants) {
        try {
          results[variant.name] = await this.#train(variant, samples, weights);
        } catch (error) {
          throw located(error, `${variant.label}, trial ${trial}`);
        }
      }
    } finally {
      for (const { x, labels } of Object.values(samples)) [x, labels].forEach((tensor) => tensor.dispose());
    }
    return { trial, displaced: [...data.displaced], variants: results };
  }

  dispose(): void {
    for (const training of this.#trainings.values()) training.dispose();
    this.#trainings.clear();
  }

  async #train(variant: Variant, samples: TrialSamples, weights: readonly LayerWeights[]): Promise<TrainingResult> {
    const training = this.#trainings.get(variant) ?? new Training(this.#device, this.#settings, variant);
    if (variant.replayable) {
      this.#trainings.set(variant, training);
      return training.run(samples, weights);
    }
    try {
      return await training.run(samples, weights);
    } finally {
      training.dispose();
    }
  }
}

/** The error with what was being trained; one without a code is a defect and stays as it is. */
function located(error: unknown, place: string): unknown {
  return hasCode(error) ? codedError(error.code, `${place}: ${error.message}`, { cause: error }) : error;
}
