import type { Variable } from "@robgrad/autograd";
import type { Link, Parameter } from "@robgrad/nn";
import type { Tensor } from "@robgrad/tensor";

/** The gradient of the mean loss by plain back-propagation. */
export function meanGradients(losses: Variable, model: Link): ReadonlyMap<Parameter, Tensor> {
  const parameters = [...model.parameters()];
  for (const parameter of parameters) parameter.clearGrad();
  losses.mean().backward();
  return new Map(parameters.map((parameter) => [parameter, (parameter.grad as Variable).value]));
}
