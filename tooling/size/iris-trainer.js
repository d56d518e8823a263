import { capture, openDevice } from "@robgrad/tensor";
import { Linear, relu, Sequential, sgd, softmaxCrossEntropy } from "@robgrad/nn";

export async function train(points, labels, steps) {
  const device = await openDevice("wasm");
  const rng = device.rng(1);
  const model = new Sequential(new Linear(2, 10, { rng }), relu, new Linear(10, 10, { rng }), relu, new Linear(10, 3, { rng }));
  const parameters = [...model.parameters()];
  const optimizer = sgd({ stepSize: 0.5 });
  const step = capture((x, y) => {
    const loss = softmaxCrossEntropy(model.forward(x), y).mean();
    loss.backward();
    optimizer.update(new Map(parameters.map((p) => [p, p.grad.value])));
    return loss;
  });
  const x = device.tensor(points), y = device.tensor(labels, { dtype: "int32" });
  let loss;
  for (let t = 0; t < steps; t++) loss = step(x, y);
  return loss.item();
}
