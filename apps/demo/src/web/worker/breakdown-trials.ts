import { toDevice } from "@robgrad/datasets";
import { hasCode, type Device } from "@robgrad/tensor";
import { initialWeights } from "../../study/network.js";
import { Training } from "../../study/training.js";
import { trialGenerators } from "../../study/trial-generators.js";
import type { Variant } from "../../study/variants.js";
import type { BreakdownTask } from "../breakdown-cell.js";
import { breakdownData } from "./breakdown-data.js";
import { competitorOf } from "./competitors.js";

const dtype = "float32";

/** How a trial of the breakdown lab ended, by rule. */
export interface BreakdownAnswer {
  /** Share of clean test rows misclassified; 1 where training met a gradient that is not finite. */
  readonly errors: Readonly<Record<string, number>>;
  /** Why a rule cannot be used. */
  readonly refusals: Readonly<Record<string, string>>;
}

interface Prepared {
  readonly variant: Variant;
  /** Recorded once for all trials, where the rule allows. */
  readonly training: Training;
}

/** Trials of the breakdown lab on one device. What was recorded for a rule is kept as long as settings stay the same. */
export class BreakdownTrials {
  readonly #device: Device;
  readonly #prepared = new Map<string, Prepared>();
  #key = "";

  constructor(device: Device) {
    this.#device = device;
  }

  /** @throws  Rejects with DEVICE_LOST. */
  async run(task: BreakdownTask): Promise<BreakdownAnswer> {
    const { settings, trial, competitors } = task;
    const key = JSON.stringify(settings);
    if (key !== this.#key) this.dispose();
    this.#key = key;
    const { train, test } = breakdownData(task);
    const samples = toDevice({ train, test }, this.#device, { dtype });
    const weights = initialWeights(trialGenerators(settings.seed, trial).weights);
    const errors: Record<string, number> = {};
    const refusals: Record<string, string> = {};
    try {
      for (const name of competitors) {
        try {
          const { training, variant } = await this.#ready(name, task);
          const { testError } = await training.run(samples, weights);
          errors[name] = testError.at(-1)!;
          if (!variant.replayable) this.#forget(name);
        } catch (error) {
          this.#forget(name);
          if (!hasCode(error) || error.code === "DEVICE_LOST") throw error;
          if (error.code === "BAD_DATA") errors[name] = 1;
          else refusals[name] = error.message;
        }
      }
    } finally {
      for (const { x, labels } of Object.values(samples)) [x, labels].forEach((tensor) => tensor.dispose());
    }
    return { errors, refusals };
  }

  async #ready(name: string, { settings }: BreakdownTask): Promise<Prepared> {
    const known = this.#prepared.get(name);
    if (known !== undefined) return known;
    const variant = await competitorOf(name, settings);
    const made = { variant, training: new Training(this.#device, { ...settings, dtype }, variant) };
    this.#prepared.set(name, made);
    return made;
  }

  #forget(name: string): void {
    this.#prepared.get(name)?.training.dispose();
    this.#prepared.delete(name);
  }

  dispose(): void {
    for (const name of [...this.#prepared.keys()]) this.#forget(name);
  }
}
