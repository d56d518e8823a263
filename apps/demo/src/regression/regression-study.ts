import { sampleGradients } from "@robgrad/autograd";
import { aggregate, dispersion, mean, mEstimator, type Aggregator } from "@robgrad/aggregators";
import { Linear, sgd, squaredError } from "@robgrad/nn";
import { capture, generator, tidy, type Device, type Generator } from "@robgrad/tensor";

/** Holland and Ikeda's regression with heavy-tailed noise. */
export const regression = {
  samples: 500,
  /** e = exp(1.75 z) minus its mean, z standard normal. */
  logNoise: 1.75,
  /** w₀ = w* + U(−5, 5)². */
  reach: 5,
  stepSize: 0.1,
  steps: 45,
  delta: 0.01,
} as const;

const target = [1, -1] as const;

/** Gradients by their mean (empirical risk minimization), or by an M-estimate (robust gradient descent). */
export const regressionRules: Readonly<Record<"erm" | "rgd", () => Aggregator>> = {
  erm: () => mean(),
  rgd: () => mEstimator({ influence: "gudermannian", scale: dispersion({ delta: regression.delta }) }),
};

export type RegressionRule = keyof typeof regressionRules;

/** Data and start of one trial, on the host. */
function trialData(g: Generator) {
  const { samples, logNoise, reach } = regression;
  const x = g.normal([samples, 2]).values;
  const meanNoise = Math.exp(logNoise ** 2 / 2);
  const y = g
    .normal([samples, 1])
    .values.map((z, n) => target[0] * x[2 * n]! + target[1] * x[2 * n + 1]! + Math.exp(logNoise * z) - meanNoise);
  const start = g.uniform([1, 2], { low: -reach, high: reach }).values.map((offset, k) => target[k]! + offset);
  return { x, y, start };
}

/**
 * Excess risks of a study: trials that share nothing but the seed that they are drawn from, each with both ways to combine
 * the gradients.
 *
 *   y = ⟨w*, x⟩ + e, x ~ N(0, I₂);   w ← w − 0.1 ĝ(w), 45 times from w₀, l = ½(⟨w, x⟩ − y)²;   risk ½‖w − w*‖²
 *
 * @param device  Where it trains, in float64 if the device has it.
 * @param trials  How many, ≥ 1.
 * @param seed    Of data and starts.
 * @returns       One risk per trial and rule.
 * @see           M. Holland, K. Ikeda (2019), Efficient learning with robust gradient descent.
 * @example       const { rgd, erm } = await regressionStudy(await openDevice("wasm"), { trials: 250, seed: 0 });
 */
export async function regressionStudy(
  device: Device,
  { trials, seed }: { readonly trials: number; readonly seed: number },
): Promise<Record<RegressionRule, number[]>> {
  const dtype = device.name === "webgpu" ? "float32" : "float64";
  const rng = device.rng(0);
  const learners = Object.entries(regressionRules).map(([name, rule]) => {
    const model = new Linear(2, 1, { rng, bias: false, dtype });
    const optimizer = sgd({ stepSize: regression.stepSize });
    const own = rule();
    const step = capture((x, y) => {
      const losses = squaredError(model.forward(x), y).mul(0.5);
      optimizer.update(aggregate(sampleGradients(losses, model.parameters()), own));
    });
    return { name: name as RegressionRule, model, optimizer, step };
  });
  rng.dispose();
  const risks: Record<RegressionRule, number[]> = { erm: [], rgd: [] };
  const g = generator(seed);
  for (let trial = 0; trial < trials; trial++) {
    const data = trialData(g);
    const x = device.tensor(data.x, { shape: [regression.samples, 2], dtype });
    const y = device.tensor(data.y, { shape: [regression.samples, 1], dtype });
    for (const { name, model, step } of learners) {
      tidy(() => model.W.assign(device.tensor(data.start, { shape: [1, 2], dtype })));
      for (let t = 0; t < regression.steps; t++) step(x, y);
      const [w0, w1] = await model.W.value.data();
      risks[name].push(0.5 * ((w0! - target[0]) ** 2 + (w1! - target[1]) ** 2));
    }
    x.dispose();
    y.dispose();
  }
  for (const { model, optimizer, step } of learners) {
    step.dispose();
    optimizer.dispose();
    model.dispose();
  }
  return risks;
}
