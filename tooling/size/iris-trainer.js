// The least that trains the classifier of the study on wasm; the data are arguments.
import { Linear, relu, Sequential, sgd, softmaxCrossEntropy } from "@robgrad/nn";
import { capture, openDevice } from "@robgrad/tensor";

/**
 * Trains 2-10-10-3 by gradient descent in captured steps.
 *
 * @param {number[][]} points  [N, 2]
 * @param {number[]} labels    [N], classes 0, 1 and 2.
 * @param {number} steps
 * @returns {Promise<number>} The loss before the last step.
 */
export async function train(points, labels, steps) {
  const device = await openDevice("wasm");
  const x = device.tensor(points);
  const classes = device.tensor(labels, { dtype: "int32" });
  const rng = device.rng(1);
  const model = new Sequential(
    new Linear(2, 10, { rng }),
    relu,
    new Linear(10, 10, { rng }),
    relu,
    new Linear(10, 3, { rng }),
  );
  const parameters = [...model.parameters()];
  const optimizer = sgd({ stepSize: 0.5 });
  const step = capture((input, targets) => {
    for (const parameter of parameters) parameter.clearGrad();
    const loss = softmaxCrossEntropy(model.forward(input), targets).mean();
    loss.backward();
    optimizer.update(new Map(parameters.map((parameter) => [parameter, parameter.grad.value])));
    return loss;
  });
  let loss;
  for (let t = 0; t < steps; t++) loss = step(x, classes);
  return loss.item();
}
