import { aggregate, all, mean, medianOfMeans, softTruncation, type Aggregator } from "@robgrad/aggregators";
import { sampleGradients } from "@robgrad/autograd";
import { iris, pushOutliers, toDevice, unitSquare } from "@robgrad/datasets";
import { Linear, relu, Sequential, sgd, softmaxCrossEntropy } from "@robgrad/nn";
import { capture, generator, type Device, type TypedArray } from "@robgrad/tensor";

/** A rule and the parameters it sees as one vector. */
const rules: Readonly<Record<string, { readonly rule: () => Aggregator; readonly jointly: boolean }>> = {
  mean: { rule: () => mean(), jointly: false },
  "soft truncation": { rule: () => softTruncation({ delta: 0.005 }), jointly: false },
  "median of means": { rule: () => medianOfMeans({ blocks: 10 }), jointly: true },
};

const steps = 20;

/** Losses of every step and the parameters after the last, by rule. */
export type Trained = Readonly<Record<string, { readonly losses: readonly number[]; readonly parameters: number[][] }>>;

/** Trains 4-10-3 on iris with a few rows moved away, in captured steps. */
export async function train(device: Device): Promise<Trained> {
  const data = iris();
  const moved = pushOutliers(unitSquare(data.features), { fraction: 0.02, factor: 100, generator: generator(0) });
  const { x, labels } = toDevice({ x: moved, labels: data.labels }, device, { dtype: "float32" });
  const trained: Record<string, Trained[string]> = {};
  for (const [name, { rule, jointly }] of Object.entries(rules)) {
    const rng = device.rng(1);
    const model = new Sequential(new Linear(4, 10, { rng }), relu, new Linear(10, 3, { rng }));
    const optimizer = sgd({ stepSize: 0.5 });
    const own = rule();
    const step = capture((input, targets) => {
      const losses = softmaxCrossEntropy(model.forward(input), targets);
      const gradients = sampleGradients(losses, model.parameters());
      optimizer.update(aggregate(gradients, own, jointly ? { group: all } : {}));
      return losses.mean();
    });
    const losses: number[] = [];
    for (let t = 0; t < steps; t++) losses.push(await step(x, labels).item());
    const parameters: TypedArray[] = [];
    for (const parameter of model.parameters()) parameters.push(await parameter.data());
    trained[name] = { losses, parameters: parameters.map((values) => Array.from(values)) };
  }
  return trained;
}
