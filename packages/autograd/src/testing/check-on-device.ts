import { capture, codedError, generator, openDevice, tidy, type Device, type Tensor } from "@robgrad/tensor";
import { formatShape, isFloating } from "@robgrad/tensor/kernels";
import { propagate, zerosFor } from "../backward.js";
import { sampleGradients } from "../sample-gradients.js";
import { makeVariable } from "../variable-node.js";
import { Variable } from "../variable.js";

/** How a function is compared between devices. */
export interface DeviceCheckOptions {
  /** Passed after the inputs and without a gradient: data, indices, labels. */
  readonly constants?: readonly Tensor[];
  /** f returns one loss per sample, [N], whose per-sample gradients are compared, too; false unless given. */
  readonly samples?: boolean;
  /** Whether the function is also recorded and replayed; true unless given. */
  readonly captured?: boolean;
  /** Largest error relative to the largest number of an answer; 1e-5 unless given. */
  readonly relative?: number;
}

type Checked = (...inputs: Variable[]) => Variable;

/** Value, gradients of the inputs and rows of per-sample gradients. */
interface Answer {
  readonly name: string;
  readonly values: ArrayLike<number>;
}

/**
 * Checks a function on a device in float32 against cpu in float64: value, gradients and, if asked, per-sample gradients,
 * once called and once replayed from a recording that was made with other numbers.
 *
 * @param device   Where it is checked; constants of f live on the device of its inputs.
 * @param f        Of Variables, inputs first and constants after them; returns a Variable of any shape.
 * @param inputs   Floating tensors of any device, differentiated in float32 there and in float64 on cpu.
 * @returns        Resolves when all numbers agree.
 * @throws         Rejects with BAD_PLUGIN giving answer, element, expected and found.
 * @example        await checkOnDevice(device, (x) => x.sin(), [device.tensor([0.1, 0.7])]);
 */
export async function checkOnDevice(
  device: Device,
  f: Checked,
  inputs: readonly Tensor[],
  { constants = [], samples = false, captured = true, relative = 1e-5 }: DeviceCheckOptions = {},
): Promise<void> {
  const reference = await openDevice("cpu");
  try {
    const given = await Promise.all([...inputs, ...constants].map(hostOf));
    const count = inputs.length;
    const expected = await onDevice(reference, "float64", given, 1, (args) => answers(f, args, count, samples));
    const compare = (how: string, found: readonly Answer[]) => {
      for (const [k, answer] of found.entries())
        agree(`${device.name}, ${how}`, answer, expected[k] as Answer, relative);
    };
    compare("called", await onDevice(device, "float32", given, 1, (args) => answers(f, args, count, samples)));
    if (!captured) return;
    const step = capture((...args: Tensor[]) => answers(f, args, count, samples).map(({ tensor }) => tensor));
    try {
      const replayed = (args: readonly Tensor[]) =>
        step(...args).map((tensor, k) => ({ name: (expected[k] as Answer).name, tensor }));
      for (const scale of [0.9, 0.95]) await onDevice(device, "float32", given, scale, replayed);
      compare("replayed", await onDevice(device, "float32", given, 1, replayed));
    } finally {
      step.dispose();
    }
  } finally {
    reference.dispose();
  }
}

interface HostTensor {
  readonly values: ArrayLike<number>;
  readonly shape: readonly number[];
  readonly dtype: Tensor["dtype"];
}

const hostOf = async (tensor: Tensor): Promise<HostTensor> => ({
  values: await tensor.data(),
  shape: tensor.shape,
  dtype: tensor.dtype,
});

/** What a function answers about tensors on a device, floating ones times `scale`; nothing of it stays there. */
async function onDevice(
  device: Device,
  dtype: "float32" | "float64",
  given: readonly HostTensor[],
  scale: number,
  answer: (args: readonly Tensor[]) => readonly { readonly name: string; readonly tensor: Tensor }[],
): Promise<Answer[]> {
  const args = given.map(({ values, shape, dtype: own }) =>
    isFloating(own)
      ? // Both see the digits that float32 holds.
        device.tensor(
          Float64Array.from(values, (value) => Math.fround(value * scale)),
          { shape, dtype },
        )
      : device.tensor(Array.from(values), { shape, dtype: own }),
  );
  const found = tidy(() => answer(args).map(({ name, tensor }) => ({ name, tensor: tensor.copy() })));
  try {
    return await Promise.all(found.map(async ({ name, tensor }) => ({ name, values: await tensor.data() })));
  } finally {
    for (const tensor of [...args, ...found.map(({ tensor }) => tensor)]) tensor.dispose();
  }
}

function answers(f: Checked, args: readonly Tensor[], inputs: number, samples: boolean) {
  const variables = args.map((x, k) => new Variable(x, { requiresGrad: k < inputs && isFloating(x.dtype) }));
  const y = f(...variables);
  const wanted = variables.filter((x) => x.requiresGrad);
  // Weights that differ, so that no gradient vanishes because its parts add up to 0.
  const { values } = generator(1).normal(y.shape);
  const weights = y.device.tensor(values, { shape: y.shape, dtype: y.dtype });
  const gradients = y.requiresGrad
    ? propagate(y.node, makeVariable(weights), new Set(wanted.map(({ node }) => node)))
    : undefined;
  const found = [{ name: "value", tensor: y.value }];
  for (const [k, { node }] of wanted.entries()) {
    found.push({ name: `gradient of input ${k}`, tensor: (gradients?.get(node) ?? zerosFor(node)).value });
  }
  if (!samples) return found;
  for (const [k, rows] of [...sampleGradients(y, wanted).values()].entries()) {
    found.push({ name: `per-sample gradients of input ${k}`, tensor: rows.rows() });
  }
  return found;
}

function agree(where: string, found: Answer, expected: Answer, relative: number): void {
  const finite = Array.from(expected.values, Math.abs).filter(Number.isFinite);
  const allowed = relative * Math.max(...finite, 1e-30);
  for (let i = 0; i < Math.max(found.values.length, expected.values.length); i++) {
    const [actual, wanted] = [found.values[i] as number, expected.values[i] as number];
    if (Object.is(actual, wanted) || Math.abs(actual - wanted) <= allowed) continue;
    throw codedError(
      "BAD_PLUGIN",
      `checkOnDevice (${where}): expected ${expected.name} ${formatShape([expected.values.length])} to be ${wanted} at element ${i}, found ${actual}; allowed difference ${allowed}`,
    );
  }
}
