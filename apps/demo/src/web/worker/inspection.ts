import { aggregate, explain } from "@robgrad/aggregators";
import { sampleGradients } from "@robgrad/autograd";
import { softmaxCrossEntropy, type Parameter } from "@robgrad/nn";
import { concat, hasCode, read, tidy, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { network, setWeights, type Network } from "../../study/network.js";
import type { Combination, Variant } from "../../study/variants.js";
import type { MovedRow } from "../run-settings.js";
import { competitorOf } from "./competitors.js";
import { effectiveWeights } from "./effective-weights.js";
import type { LiveRun } from "./live-run.js";

const dtype = "float32";

/** Which step is looked at: the gradients of all training rows at the weights of a competitor. */
export interface StepQuestion {
  readonly competitor: string;
  readonly iteration: number;
}

/** What rules make of a step. */
export interface LookQuestion extends StepQuestion {
  /** As `competitorOf` reads them; they need not be those that train. */
  readonly rules: readonly string[];
  /** A row that is elsewhere for once; the weights are what they are. */
  readonly moved: MovedRow | null;
}

/** What one rule makes of a step. */
export interface RuleLook {
  readonly rule: string;
  readonly label: string;
  /** How much of every row counts, 1 as in the mean; null when the rule has no such weights. */
  readonly weights: Float32Array | null;
  /** Its gradient, all parameters one after the other; null when the rule fails. */
  readonly answer: Float32Array | null;
  readonly failure: string | null;
}

export interface Look {
  /** ‖gₙ‖ of every row. */
  readonly norms: Float32Array;
  readonly rules: readonly RuleLook[];
}

/** What a rule's answer owes to every row. */
export interface RuleInfluence {
  readonly influence: Float32Array;
  readonly cosines: Float32Array;
}

type SampleGradients = ReadonlyMap<Parameter, SampleMatrix>;

/** Looks into steps of a watched trial, on a network of its own. */
export class Inspection {
  readonly #run: LiveRun;
  readonly #network: Network;
  readonly #rules = new Map<string, Promise<Variant>>();
  readonly #combinations = new Map<Variant, Combination>();

  constructor(run: LiveRun) {
    this.#run = run;
    this.#network = network(run.device, dtype);
  }

  /**
   * Gradient norms of all rows, and weights and answers of rules. Costs every rule twice.
   *
   * @returns  Null when the competitor has no weights there.
   * @throws   Rejects with BAD_DATA when a gradient is not finite.
   */
  async look({ rules, moved, ...step }: LookQuestion): Promise<Look | null> {
    const variants = await Promise.all(rules.map((rule) => this.#variant(rule)));
    if (!(await this.#setStep(step))) return null;
    const failures = new Map<string, string>();
    const found = tidy(() => {
      const gradients = this.#gradients(moved);
      const matrices = [...gradients.values()];
      const squares = matrices.map((matrix) => matrix.squaredNorms());
      const tensors: Record<string, Tensor | null> = { norms: squares.reduce((sum, next) => sum.add(next)).sqrt() };
      for (const [k, variant] of variants.entries()) {
        const combination = this.#combination(variant);
        try {
          const answer = aggregate(gradients, combination.rule, { group: combination.group });
          tensors[`answer ${k}`] = concat([...answer.values()].map((part) => part.reshape([-1])));
          tensors[`weights ${k}`] = effectiveWeights(gradients, combination);
        } catch (error) {
          if (!hasCode(error) || error.code === "DEVICE_LOST") throw error;
          failures.set(variant.name, error.message);
        }
      }
      return tensors;
    });
    const values = await read(found).finally(() => Object.values(found).forEach((tensor) => tensor?.dispose()));
    const array = (name: string) => (values[name] as { data: Float32Array } | null | undefined) ?? null;
    return { norms: array("norms"), rules: [] } as never;
  }

  /** Influence of every row on a rule's answer, by asking it again without each. Costs the rule N times. */
  async influence(rule: string, step: StepQuestion): Promise<RuleInfluence | null> {
    const variant = await this.#variant(rule);
    if (!(await this.#setStep(step))) return null;
    return null;
  }
}
