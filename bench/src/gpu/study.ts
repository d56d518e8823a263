import { openDevice, type Device } from "@robgrad/tensor";
import { curveIterations } from "demo/study/curve-iterations.js";
import { estimate } from "demo/study/estimate.js";
import { failureThreshold } from "demo/study/protocol.js";
import type { StudySettings } from "demo/study/settings.js";
import type { TrialResult } from "demo/study/study-result.js";
import { finalErrors } from "demo/study/summary.js";
import { Trials } from "demo/study/trials.js";
import { variantNames, variantsOf, type VariantName } from "demo/study/variants.js";

/** Test errors of trials after the last step. */
interface Outcome {
  readonly mean: number;
  readonly standardError: number;
  readonly failures: number;
  readonly errors: readonly number[];
}

/** One variant of the Iris study, on the card and beside it on wasm in float64, from the same seeds. */
export interface StudyFigure {
  readonly variant: VariantName;
  readonly card: Outcome;
  readonly processor: Outcome;
  /** Largest relative difference of a training loss up to a step, over all trials: rounding, until chaos makes it grow. */
  readonly largestDifference: Readonly<Record<number, number>>;
  readonly microsecondsPerStep: number;
}

const checkpoints = [10, 100, 300];

/**
 * Runs the Iris study on the card and on the processor.
 *
 * @param names  Of variants, parts of them suffice.
 */
export async function study(
  device: Device,
  trials: number,
  iterations: number,
  names: readonly string[],
): Promise<StudyFigure[]> {
  const wasm = await openDevice("wasm");
  const figures: StudyFigure[] = [];
  for (const variant of variantNames.filter((name) => names.some((part) => name.includes(part)))) {
    const results = async (on: Device, dtype: StudySettings["dtype"]) => {
      const settings: StudySettings = {
        trials,
        iterations,
        seed: 0,
        variants: [variant],
        rule: null,
        fraction: 0.02,
        factor: 1e4,
        protocol: "code",
        device: on.name,
        dtype,
      };
      const all = new Trials(on, settings, variantsOf(settings, null));
      const found: TrialResult[] = [];
      for (let trial = 0; trial < trials; trial++) found.push(await all.run(trial));
      all.dispose();
      return found;
    };
    const [found, expected] = [await results(device, "float32"), await results(wasm, "float64")];
    const curve = (result: TrialResult | undefined) => result?.variants[variant]?.trainLoss ?? [];
    const upTo = (step: number) =>
      Math.max(
        ...found.flatMap((result, trial) =>
          curveIterations(iterations)
            .filter((iteration) => iteration <= step)
            .map((_, k) => Math.abs((curve(result)[k] as number) / (curve(expected[trial])[k] as number) - 1)),
        ),
      );
    const figure: StudyFigure = {
      variant,
      card: outcome(finalErrors({ trials: found }, variant).test),
      processor: outcome(finalErrors({ trials: expected }, variant).test),
      largestDifference: Object.fromEntries(
        checkpoints.filter((step) => step <= iterations).map((step) => [step, upTo(step)]),
      ),
      microsecondsPerStep: Math.min(...found.map(({ variants }) => variants[variant]?.microsecondsPerStep ?? NaN)),
    };
    figures.push(figure);
    console.log(`study, ${variant}: ${words(figure)}`);
  }
  wasm.dispose();
  return figures;
}

function outcome(errors: readonly number[]): Outcome {
  const { mean, standardError } = estimate(errors);
  return { mean, standardError, failures: errors.filter((error) => error > failureThreshold).length, errors };
}

function words({ card, processor, largestDifference, microsecondsPerStep }: StudyFigure): string {
  const text = ({ mean, standardError, failures, errors }: Outcome) =>
    `${mean.toFixed(3)} ± ${standardError.toFixed(3)}, ${failures} of ${errors.length} failed`;
  const differences = Object.entries(largestDifference).map(([step, by]) => `${by.toExponential(1)} to step ${step}`);
  return `${text(card)} (wasm in float64: ${text(processor)}); losses differ by ${differences.join(", ")}; ${microsecondsPerStep.toFixed(0)} µs a step`;
}
