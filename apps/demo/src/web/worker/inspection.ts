import { aggregate, explain } from "@robgrad/aggregators";
import { sampleGradients } from "@robgrad/autograd";
import { softmaxCrossEntropy, type Parameter } from "@robgrad/nn";
import { concat, hasCode, tidy, type SampleMatrix, type Tensor } from "@robgrad/tensor";
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
  readonly #variants = new Map<string, Promise<Variant>>();
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
    const read = async (name: string) => ((await found[name]?.data()) ?? null) as Float32Array | null;
    try {
      const [norms, ...rest] = await Promise.all([
        read("norms"),
        ...variants.flatMap((_, k) => [read(`weights ${k}`), read(`answer ${k}`)]),
      ]);
      const looks = variants.map(({ name, label }, k): RuleLook => {
        const failure = failures.get(name) ?? null;
        return { rule: name, label, weights: rest[2 * k]!, answer: rest[2 * k + 1]!, failure };
      });
      return { norms: norms!, rules: looks };
    } finally {
      for (const tensor of Object.values(found)) tensor?.dispose();
    }
  }

  /**
   * What a rule's answer owes to every row, by asking the rule again without each: N times its cost.
   *
   * @returns  Null when the competitor has no weights there.
   * @throws   Rejects with what the rule throws, and with BAD_DATA when a gradient is not finite.
   */
  async influence(rule: string, step: StepQuestion): Promise<RuleInfluence | null> {
    const variant = await this.#variant(rule);
    if (!(await this.#setStep(step))) return null;
    const { rule: own, group } = this.#combination(variant);
    const report = tidy(() => {
      const { influence, cosines } = explain(this.#gradients(null), own, { group });
      return { influence, cosines };
    });
    try {
      const [influence, cosines] = await Promise.all([report.influence.data(), report.cosines.data()]);
      return { influence, cosines } as RuleInfluence;
    } finally {
      report.influence.dispose();
      report.cosines.dispose();
    }
  }

  dispose(): void {
    this.#network.model.dispose();
  }

  #variant(rule: string): Promise<Variant> {
    const known = this.#variants.get(rule) ?? competitorOf(rule, this.#run.settings);
    this.#variants.set(rule, known);
    return known;
  }

  /** Made anew for a rule that remembers: what is seen here is its first step. */
  #combination(variant: Variant): Combination {
    const known = this.#combinations.get(variant) ?? variant.on(this.#network);
    if (variant.replayable) this.#combinations.set(variant, known);
    return known;
  }

  async #setStep({ competitor, iteration }: StepQuestion): Promise<boolean> {
    const weights = await this.#run.weights(competitor, iteration);
    if (weights !== null) setWeights(this.#network, weights);
    return weights !== null;
  }

  #gradients(moved: MovedRow | null): SampleGradients {
    const { scene, samples, device } = this.#run;
    const points = scene.train.map(({ x, y }) => [x, y]);
    if (moved !== null) points[moved.row] = [moved.x, moved.y];
    const { model } = this.#network;
    const losses = softmaxCrossEntropy(model.forward(device.tensor(points, { dtype })), samples.train.labels);
    return sampleGradients(losses, model.parameters());
  }
}
