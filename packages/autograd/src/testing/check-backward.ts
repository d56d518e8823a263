import { codedError, generator, tidy, type Device, type Tensor } from "@robgrad/tensor";
import { formatShape, isFloating } from "@robgrad/tensor/kernels";
import { propagate, zerosFor } from "../backward.js";
import { noGrad } from "../recording.js";
import { makeVariable } from "../variable-node.js";
import { Variable } from "../variable.js";

/** How a gradient is checked. */
export interface CheckOptions {
  /** Random directions per input, 3 unless given. */
  readonly directions?: number;
  /** Step of the central difference, 1e-5 unless given. */
  readonly step?: number;
  /** Largest error relative to the derivative, 1e-6 unless given. */
  readonly relative?: number;
  /** Largest error where the derivative is near 0, 1e-8 unless given. */
  readonly absolute?: number;
  /** Seed of the directions, 0 unless given. */
  readonly seed?: number;
}

/** A function of Variables that is checked. */
export type Checked = (...inputs: Variable[]) => Variable;

/**
 * Checks gradients against central differences along random directions.
 *
 *   ⟨∇ₓ⟨v, f(x)⟩, d⟩ ≈ (⟨v, f(x + h d)⟩ − ⟨v, f(x − h d)⟩) / 2h,   v and d random
 *
 * Choose inputs away from kinks (|x| at 0, ties of max).
 *
 * @param f        Of Variables; returns a Variable of any shape. Same inputs, same result.
 * @param inputs   float64 tensors; integer and bool ones are constants.
 * @returns        Resolves when all directions agree.
 * @throws         Rejects with BAD_PLUGIN giving expected, found, input, direction and worst element; DTYPE_MISMATCH for
 *                 float32 inputs.
 * @see            Note on reverse mode, last section.
 * @example        await checkBackward((x) => x.sin(), [device.tensor([0.1, 0.7], { dtype: "float64" })]);
 */
export async function checkBackward(f: Checked, inputs: readonly Tensor[], options: CheckOptions = {}): Promise<void> {
  await check("checkBackward", f, inputs, options);
}

/**
 * Checks second derivatives: `checkBackward` of the gradient itself, in the inputs and in v.
 *
 * @param f        Of Variables; returns a Variable of any shape.
 * @param inputs   float64 tensors; integer and bool ones are constants.
 * @returns        Resolves when all directions agree.
 * @throws         Rejects with BAD_PLUGIN giving expected, found, input, direction and worst element.
 * @example        await checkDoubleBackward((x) => x.sin(), [device.tensor([0.1, 0.7], { dtype: "float64" })]);
 */
export async function checkDoubleBackward(
  f: Checked,
  inputs: readonly Tensor[],
  options: CheckOptions = {},
): Promise<void> {
  const shape = tidy(() => noGrad(() => f(...inputs.map((x) => new Variable(x))).shape));
  const { device } = inputs[0] as Tensor;
  const v = device.tensor(generator((options.seed ?? 0) + 1).normal(shape).values, { shape, dtype: "float64" });
  const differentiated = (...args: Variable[]) => {
    const xs = args.slice(0, -1);
    const y = f(...xs);
    const wanted = xs.filter((x) => x.requiresGrad).map(({ node }) => node);
    const gradients = propagate(y.node, args[args.length - 1] as Variable, new Set(wanted));
    // All gradients in one number: each times fixed weights, so that none can hide another.
    const random = generator((options.seed ?? 0) + 2);
    return wanted
      .map((node) => (gradients.get(node) ?? zerosFor(node)).mul(weights(device, node.shape, random)).sum())
      .reduce((a, b) => a.add(b));
  };
  try {
    await check("checkDoubleBackward", differentiated, [...inputs, v], options, (k) =>
      k < inputs.length ? `input ${k}` : "gradOutput",
    );
  } finally {
    v.dispose();
  }
}

type Random = ReturnType<typeof generator>;

function weights(device: Device, shape: readonly number[], random: Random): Tensor {
  return device.tensor(random.normal(shape).values, { shape, dtype: "float64" });
}

/** The inputs to be checked: at least one, float64 all of them. */
export function differentiableInputs(
  subject: string,
  inputs: readonly Tensor[],
): readonly { readonly x: Tensor; readonly k: number }[] {
  for (const x of inputs) {
    if (isFloating(x.dtype) && x.dtype !== "float64") {
      throw codedError(
        "DTYPE_MISMATCH",
        `${subject}: expected float64 inputs, found ${x.dtype} ${formatShape(x.shape)}; central differences need the digits`,
      );
    }
  }
  const differentiable = inputs.map((x, k) => ({ x, k })).filter(({ x }) => isFloating(x.dtype));
  if (differentiable.length === 0)
    throw codedError("BAD_ARGUMENT", `${subject}: expected at least one float64 input, found none`);
  return differentiable;
}

async function check(
  subject: string,
  f: Checked,
  inputs: readonly Tensor[],
  options: CheckOptions,
  nameOf = (k: number) => `input ${k}`,
): Promise<void> {
  const { directions = 3, step = 1e-5, relative = 1e-6, absolute = 1e-8, seed = 0 } = options;
  const differentiable = differentiableInputs(subject, inputs);
  const { device } = (differentiable[0] as { x: Tensor }).x;
  const random = generator(seed);
  const shape = tidy(() => noGrad(() => f(...inputs.map((x) => new Variable(x))).shape));
  const v = weights(device, shape, random);
  try {
    const gradients = await gradientsOf(f, inputs, v);
    for (const { x, k } of differentiable) {
      const gradient = gradients[k] as ArrayLike<number>;
      const difference = (direction: Tensor) => centralDifference(f, inputs, k, direction, step, v);
      const bad = (expected: number, found: number) =>
        !(Math.abs(expected - found) <= absolute + relative * Math.max(Math.abs(expected), Math.abs(found)));
      for (let turn = 0; turn < directions; turn++) {
        const values = random.normal(x.shape).values;
        const direction = device.tensor(values, { shape: x.shape, dtype: "float64" });
        const expected = await difference(direction);
        direction.dispose();
        const found = values.reduce((total: number, d, i) => total + d * (gradient[i] as number), 0);
        if (!bad(expected, found)) continue;
        const worst = await worstElement(x, gradient, difference);
        throw codedError(
          "BAD_PLUGIN",
          `${subject}: expected the directional derivative ${expected} (central difference, step ${step}), found ${found} from backward, ` +
            `in ${nameOf(k)} (${x.dtype} ${formatShape(x.shape)}) along direction ${turn + 1} of ${directions} (seed ${seed}); ` +
            `worst element ${formatShape(worst.index)}: expected ${worst.expected}, found ${worst.found}`,
        );
      }
    }
  } finally {
    v.dispose();
  }
}

/** ∇ₓ⟨v, f(x)⟩ for every input, on the host. */
async function gradientsOf(f: Checked, inputs: readonly Tensor[], v: Tensor): Promise<ArrayLike<number>[]> {
  const tensors = tidy(() => {
    const variables = inputs.map((x) => new Variable(x));
    const y = f(...variables);
    const wanted = variables.filter((x) => x.requiresGrad);
    const found = y.requiresGrad
      ? propagate(y.node, makeVariable(v), new Set(wanted.map(({ node }) => node)))
      : undefined;
    return variables.map(({ node }) => (found?.get(node) ?? zerosFor(node)).value.copy());
  });
  return Promise.all(
    tensors.map(async (tensor) => {
      const values = await tensor.data();
      tensor.dispose();
      return values;
    }),
  );
}

async function centralDifference(
  f: Checked,
  inputs: readonly Tensor[],
  k: number,
  direction: Tensor,
  step: number,
  v: Tensor,
): Promise<number> {
  const sides = tidy(() =>
    [step, -step].map((h) => {
      const moved = inputs.map((x, j) => new Variable(j === k ? x.add(direction.mul(h)) : x));
      return f(...moved)
        .value.mul(v)
        .sum();
    }),
  );
  const [up, down] = await Promise.all(
    sides.map(async (side) => {
      const value = await side.item();
      side.dispose();
      return value;
    }),
  );
  return ((up as number) - (down as number)) / (2 * step);
}

async function worstElement(
  x: Tensor,
  gradient: ArrayLike<number>,
  difference: (direction: Tensor) => Promise<number>,
) {
  let worst = { at: 0, error: -1, expected: NaN, found: NaN };
  for (let at = 0; at < x.size; at++) {
    const unit = new Float64Array(x.size);
    unit[at] = 1;
    const direction = x.device.tensor(unit, { shape: x.shape });
    const expected = await difference(direction);
    direction.dispose();
    const found = gradient[at] as number;
    const error = Number.isFinite(found) ? Math.abs(expected - found) : Infinity;
    if (error > worst.error) worst = { at, error, expected, found };
  }
  return { index: indexAt(x.shape, worst.at), expected: worst.expected, found: worst.found };
}

/** The index of the element at a place in row-major order. */
export function indexAt(shape: readonly number[], at: number): number[] {
  const index: number[] = [];
  let rest = at;
  for (const extent of [...shape].reverse()) {
    index.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return index;
}
