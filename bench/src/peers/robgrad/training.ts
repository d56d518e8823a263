import { aggregate, all, byLayer, mean, type Aggregator } from "@robgrad/aggregators";
import { sampleGradients, type Variable } from "@robgrad/autograd";
import { Linear, relu, Sequential, sgd, softmaxCrossEntropy, type Parameter } from "@robgrad/nn";
import { capture, type Device, type DType, type Tensor } from "@robgrad/tensor";
import { ruleOf, type TrainingWork } from "../../work.js";
import type { Job } from "../peer.js";
import { aggregator } from "./aggregator.js";
import { meanGradients } from "./mean-gradients.js";
import { trainingJob } from "./training-job.js";

/** @param own  A rule for all parameters as one vector, in place of the work's. */
export function robgradTraining(device: Device, dtype: DType, work: TrainingWork, own?: Aggregator): Job {
  const { samples, widths } = work;
  const data = work.data();
  const x = device.tensor(data.x, { dtype, shape: [samples, widths[0] as number] });
  const labels = device.tensor(data.labels, { dtype: "int32", shape: [samples] });
  const initial = data.layers.map(({ W, b }, k) => ({
    W: device.tensor(W, { dtype, shape: [widths[k + 1] as number, widths[k] as number] }),
    b: device.tensor(b, { dtype, shape: [widths[k + 1] as number] }),
  }));
  const rng = device.rng(0);
  const layers = initial.map((_, k) => new Linear(widths[k] as number, widths[k + 1] as number, { rng, dtype }));
  const model = new Sequential(...layers.flatMap((layer, k) => (k < layers.length - 1 ? [layer, relu] : [layer])));
  const optimizer = sgd({ stepSize: work.stepSize });
  const count = device.cell(device.zeros([], { dtype: "int32" }));
  const gradients =
    own === undefined
      ? gradientsOf(work, model, layers)
      : (losses: Variable) => aggregate(sampleGradients(losses, model.parameters()), own, { group: all });

  const step = capture((x: Tensor, labels: Tensor) => {
    const losses = softmaxCrossEntropy(model.forward(x), labels);
    optimizer.update(gradients(losses));
    count.assign(count.value.add(1));
    return losses.mean();
  });

  const starts = layers.flatMap(({ W, b }, k) => {
    const own = initial[k] as { readonly W: Tensor; readonly b: Tensor };
    return [[W, own.W] as const, ...(b === null ? [] : [[b, own.b] as const])];
  });
  return trainingJob(device, model, starts, () => step(x, labels));
}

/** From losses to what the optimizer takes: plain back-propagation for the mean, a sample matrix per parameter else. */
function gradientsOf(
  work: TrainingWork,
  model: Sequential,
  layers: readonly Linear[],
): (losses: Variable) => ReadonlyMap<Parameter, Tensor> {
  const { rule } = work;
  if (rule.kind === "mean") {
    return (losses) => meanGradients(losses, model);
  }
  const rules = new Map<Parameter, Aggregator>();
  const robust = aggregator(rule);
  const plain = mean();
  for (const [k, layer] of layers.entries()) {
    for (const parameter of layer.parameters()) rules.set(parameter, ruleOf(work, k) === rule ? robust : plain);
  }
  const choose = (parameter: Parameter) => rules.get(parameter) as Aggregator;
  const options = rule.kind === "gmom" ? { group: rule.grouping === "all" ? all : byLayer<Parameter>(model) } : {};
  return (losses) => aggregate(sampleGradients(losses, model.parameters()), { choose }, options);
}
