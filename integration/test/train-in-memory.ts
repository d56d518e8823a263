import type { Variable } from "@robgrad/autograd";
import { sgd, softmaxCrossEntropy, type Parameter, type Sequential } from "@robgrad/nn";
import { capture, type Tensor } from "@robgrad/tensor";

/** What an optimizer takes, of losses [N]. */
export type GradientsOf = (losses: Variable, model: Sequential) => ReadonlyMap<Parameter, Tensor>;

/** Plain back-propagation of the mean loss. */
export const meanGradients: GradientsOf = (losses, model) => {
  const parameters = [...model.parameters()];
  for (const parameter of parameters) parameter.clearGrad();
  losses.mean().backward();
  return new Map(parameters.map((parameter) => [parameter, (parameter.grad as Variable).value]));
};

/**
 * Two recorded steps and a replayed one.
 *
 * @param x  [N, …]; the labels count up and begin again after the last class.
 * @returns  The losses and the most memory the steps took.
 */
export async function train(model: Sequential, x: Tensor, classes: number, gradientsOf: GradientsOf) {
  const { device } = x;
  const labels = device.tensor(Int32Array.from({ length: x.shape[0] as number }, (_, n) => n % classes));
  const optimizer = sgd({ stepSize: 0.1 });
  const step = capture((input: Tensor, targets: Tensor) => {
    const losses = softmaxCrossEntropy(model.forward(input), targets);
    optimizer.update(gradientsOf(losses, model));
    return losses.mean();
  });
  device.resetPeak();
  const losses: number[] = [];
  for (let t = 0; t < 3; t++) losses.push(await step(x, labels).item());
  return { losses, peak: device.memory().peak };
}
