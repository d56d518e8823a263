// The same with a robust rule and the data set: what the study's robust variants take.
import { aggregate, softTruncation } from "@robgrad/aggregators";
import { sampleGradients } from "@robgrad/autograd";
import { iris, toDevice } from "@robgrad/datasets";
import { Linear, relu, Sequential, sgd, softmaxCrossEntropy } from "@robgrad/nn";
import { capture, openDevice } from "@robgrad/tensor";

/**
 * Trains 4-10-3 on Iris by robust gradient descent in captured steps.
 *
 * @param {number} steps
 * @returns {Promise<number>} The loss before the last step.
 */
export async function train(steps) {
  const device = await openDevice("wasm");
  const { features, labels } = iris();
  const data = toDevice({ x: features, labels }, device);
  const rng = device.rng(1);
  const model = new Sequential(new Linear(4, 10, { rng }), relu, new Linear(10, 3, { rng }));
  const optimizer = sgd({ stepSize: 0.1 });
  const rule = softTruncation({ delta: 0.005 });
  const step = capture((input, targets) => {
    const losses = softmaxCrossEntropy(model.forward(input), targets);
    optimizer.update(aggregate(sampleGradients(losses, model.parameters()), rule));
    return losses.mean();
  });
  let loss;
  for (let t = 0; t < steps; t++) loss = step(data.x, data.labels);
  return loss.item();
}
