import { aggregate } from "@robgrad/aggregators";
import { sampleGradients, type Variable } from "@robgrad/autograd";
import { Conv2d, Linear, MaxPool2d, relu, Sequential, sgd, softmaxCrossEntropy } from "@robgrad/nn";
import { capture, type Device, type DType, type Tensor } from "@robgrad/tensor";
import { sidesOf, type ConvolutionWork } from "../../work.js";
import type { Job } from "../peer.js";
import { aggregator } from "./aggregator.js";
import { meanGradients } from "./mean-gradients.js";
import { trainingJob } from "./training-job.js";

export function robgradConvolution(device: Device, dtype: DType, work: ConvolutionWork): Job {
  const { samples, side, channels, kernel, classes, rule } = work;
  const data = work.data();
  const x = device.tensor(data.x, { dtype, shape: [samples, channels[0], side, side] });
  const labels = device.tensor(data.labels, { dtype: "int32", shape: [samples] });
  const flat = channels[2] * sidesOf(work)[2] ** 2;
  const options = { rng: device.rng(0), dtype };
  const layers = [
    new Conv2d(channels[0], channels[1], kernel, options),
    new Conv2d(channels[1], channels[2], kernel, options),
    new Linear(flat, classes, options),
  ] as const;
  const [first, second, dense] = layers;
  const flatten = (y: Variable) => y.reshape([samples, flat]);
  const model = new Sequential(first, relu, new MaxPool2d(2), second, relu, new MaxPool2d(2), flatten, dense);
  const initial = layers.map(({ W, b }, k) =>
    [W, b].map((parameter, j) => {
      const { W: weights, b: bias } = data.layers[k] as { W: Float64Array; b: Float64Array };
      return device.tensor(j === 0 ? weights : bias, { dtype, shape: parameter?.shape ?? [] });
    }),
  );
  const optimizer = sgd({ stepSize: work.stepSize });
  const robust = aggregator(rule);
  const gradients = (losses: Variable) =>
    rule.kind === "mean"
      ? meanGradients(losses, model)
      : aggregate(sampleGradients(losses, model.parameters()), robust);

  const step = capture((x: Tensor, labels: Tensor) => {
    const losses = softmaxCrossEntropy(model.forward(x), labels);
    optimizer.update(gradients(losses));
    return losses.mean();
  });

  const starts = layers.flatMap(({ W, b }, k) => {
    const own = initial[k] as Tensor[];
    return [[W, own[0] as Tensor] as const, ...(b === null ? [] : [[b, own[1] as Tensor] as const])];
  });
  return trainingJob(device, model, starts, () => step(x, labels));
}
