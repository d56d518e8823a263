import { aggregate } from "@robgrad/aggregators";
import { sampleGradients } from "@robgrad/autograd";
import { softmaxCrossEntropy } from "@robgrad/nn";
import { openDevice } from "@robgrad/tensor";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { curveIterations } from "../src/study/curve-iterations.js";
import { network, setWeights, type LayerWeights } from "../src/study/network.js";
import { Training } from "../src/study/training.js";
import { variantsOf } from "../src/study/variants.js";

interface Metrics {
  readonly train_loss: number;
  readonly train_err: number;
  readonly test_loss: number;
  readonly test_err: number;
}

type Parameters = Readonly<Record<string, number[] | number[][]>>;

interface Method {
  readonly float64_numpy: { readonly metrics: Readonly<Record<string, Metrics>>; readonly grad_iteration1: Parameters };
}

interface Trial {
  readonly train_x: number[][];
  readonly train_y: number[];
  readonly test_x: number[][];
  readonly test_y: number[];
  readonly init: Parameters;
  readonly methods: { readonly vanilla: Method; readonly robust: Method };
}

// A trial of the published study, recomputed in float64 by an independent implementation.
const fixture = JSON.parse(readFileSync(join(import.meta.dirname, "fixtures/one-trial.json"), "utf8")) as {
  trials: [Trial];
};
const [trial] = fixture.trials;

const host = (values: number[] | number[][]) => ({
  values: Float64Array.from(values.flat()),
  shape: Array.isArray(values[0]) ? [values.length, values[0].length] : [values.length],
});
const weights: LayerWeights[] = [1, 2, 3].map((l) => ({
  W: host(trial.init[`l${l}.W`]!),
  b: host(trial.init[`l${l}.b`]!),
}));

describe.each([
  ["vanilla", "vanilla"],
  ["published", "robust"],
] as const)("one trial of %s in float64", (name, method) => {
  const expected = trial.methods[method].float64_numpy;
  const [variant] = variantsOf({ variants: [name], protocol: "code", rule: null }, null);

  const onDevice = async () => {
    const device = await openDevice("cpu");
    const samples = (x: number[][], y: number[]) => ({
      x: device.tensor(x, { dtype: "float64" }),
      labels: device.tensor(y, { dtype: "int32" }),
    });
    return { device, train: samples(trial.train_x, trial.train_y), test: samples(trial.test_x, trial.test_y) };
  };

  // The published rule adds rows near 1e-6 to a spread of 0.03, its floor: both sides round there.
  it("has the gradients of the first update", async () => {
    const { device, train: rows } = await onDevice();
    const net = network(device, "float64");
    setWeights(net, weights);
    const losses = softmaxCrossEntropy(net.model.forward(rows.x), rows.labels);
    const { rule, group } = variant!.on(net);
    const gradients = aggregate(sampleGradients(losses, net.model.parameters()), rule, { group });
    for (const [k, layer] of net.layers.entries()) {
      for (const parameter of ["W", "b"] as const) {
        const found = [...(await gradients.get(layer[parameter]!)!.data())];
        const wanted = expected.grad_iteration1[`l${k + 1}.${parameter}`]!.flat();
        const largest = Math.max(...wanted.map(Math.abs));
        expect(found).toHaveLength(wanted.length);
        found.forEach((value, i) => expect(Math.abs(value - wanted[i]!) / largest).toBeLessThan(1e-10));
      }
    }
    device.dispose();
  });

  it.each([0, 1, 1000])("has the losses and errors of %d updates and before", async (updates) => {
    const { device, train: rows, test } = await onDevice();
    const found = await new Training(device, { iterations: updates, dtype: "float64" }, variant!).run(
      { train: rows, test },
      weights,
    );
    expect(found.trainLoss).toHaveLength(curveIterations(updates).length);
    for (const [k, iteration] of curveIterations(updates).entries()) {
      const wanted = expected.metrics[String(iteration)];
      if (wanted === undefined) continue;
      const tolerance = iteration <= 100 ? 1e-9 : 1e-6;
      expect(Math.abs(found.trainLoss[k]! / wanted.train_loss - 1), `train loss at ${iteration}`).toBeLessThan(
        tolerance,
      );
      expect(Math.abs(found.testLoss[k]! / wanted.test_loss - 1), `test loss at ${iteration}`).toBeLessThan(tolerance);
      expect(found.trainError[k], `train error at ${iteration}`).toBeCloseTo(wanted.train_err, 12);
      expect(found.testError[k], `test error at ${iteration}`).toBeCloseTo(wanted.test_err, 12);
    }
    device.dispose();
  });
});
