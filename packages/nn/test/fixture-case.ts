import { Variable } from "@robgrad/autograd";
import { checkBackward, checkDoubleBackward, checkTangent } from "@robgrad/autograd/testing";
import type { Device, Nested } from "@robgrad/tensor";
import { expectClose, type DeviceUnderTest } from "@robgrad/tensor/testing";

/** What make_layers.py writes: an output, and the gradients of its product with a cotangent. */
export interface FixtureCase {
  readonly inputs: Readonly<Record<string, Nested>>;
  readonly output: Nested;
  readonly cotangent: Nested;
  readonly gradients: Readonly<Record<string, Nested>>;
}

/** Expects f of the inputs, in their order, to have the output and gradients of the case. */
export async function expectCase(
  { device, dtype, epsilon }: DeviceUnderTest,
  { inputs, output, cotangent, gradients }: FixtureCase,
  f: (...inputs: Variable[]) => Variable,
): Promise<void> {
  const variables = Object.entries(inputs).map(
    ([name, values]) => new Variable(device.tensor(values, { dtype }), { name }),
  );
  const y = f(...variables);
  y.backward({ gradOutput: device.tensor(cotangent, { dtype }) });
  const tolerance = { relative: 500 * epsilon, absolute: 50 * epsilon };
  await expectClose(y.value, output, tolerance);
  for (const variable of variables)
    await expectClose(variable.grad!.value, gradients[variable.name!] as Nested, tolerance);
}

/** Expects first and second derivatives and tangents of f at the inputs of the case to be those of central differences. */
export async function expectDerivatives(
  device: Device,
  { inputs }: FixtureCase,
  f: (...inputs: Variable[]) => Variable,
): Promise<void> {
  const tensors = Object.values(inputs).map((values) => device.tensor(values, { dtype: "float64" }));
  await checkBackward(f, tensors);
  await checkDoubleBackward(f, tensors, { directions: 2 });
  await checkTangent(f, tensors, { directions: 2 });
}
