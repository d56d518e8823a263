import { codedError, generator, tidy, type Tensor } from "@robgrad/tensor";
import { formatShape } from "@robgrad/tensor/kernels";
import { noGrad } from "../recording.js";
import { jvp } from "../transforms/jvp.js";
import { Variable } from "../variable.js";
import { differentiableInputs, indexAt, type Checked, type CheckOptions } from "./check-backward.js";

/**
 * Checks forward mode against central differences along random directions, in every input alone and in all of them
 * together.
 *
 *   J d ≈ (f(x + h d) − f(x − h d)) / 2h,   element by element, d random
 *
 * Choose inputs away from kinks (|x| at 0, ties of max).
 *
 * @param f        Of Variables; returns a Variable of any shape. Same inputs, same result.
 * @param inputs   float64 tensors; integer and bool ones are constants.
 * @returns        Resolves when all directions agree.
 * @throws         Rejects with BAD_PLUGIN giving expected, found, input, direction and worst element; DTYPE_MISMATCH for
 *                 float32 inputs.
 * @see            Note on reverse mode, last section.
 * @example        await checkTangent((x) => x.sin(), [device.tensor([0.1, 0.7], { dtype: "float64" })]);
 */
export async function checkTangent(f: Checked, inputs: readonly Tensor[], options: CheckOptions = {}): Promise<void> {
  const { directions = 3, step = 1e-5, relative = 1e-6, absolute = 1e-8, seed = 0 } = options;
  const differentiable = differentiableInputs("checkTangent", inputs);
  const random = generator(seed);
  const alone = differentiable.map(({ k }) => [k]);
  for (const moving of alone.length > 1 ? [...alone, alone.flat()] : alone) {
    for (let turn = 0; turn < directions; turn++) {
      const direction = inputs.map((x, k) =>
        moving.includes(k)
          ? x.device.tensor(random.normal(x.shape).values, { shape: x.shape, dtype: "float64" })
          : null,
      );
      const at = (h: number) =>
        f(...inputs.map((x, k) => new Variable(direction[k] ? x.add(direction[k].mul(h)) : x))).value;
      const [difference, tangent] = tidy(() =>
        noGrad(() => [
          at(step)
            .sub(at(-step))
            .mul(1 / (2 * step)),
          jvp(f, inputs, direction).tangent.value.copy(),
        ]),
      ) as [Tensor, Tensor];
      const [expected, found] = await Promise.all([difference.data(), tangent.data()]);
      const worst = worstElement(expected, found, relative, absolute);
      if (worst >= 0) {
        const subject =
          moving.length > 1
            ? "all inputs together"
            : moving.map((k) => `input ${k} (float64 ${formatShape(inputs[k]?.shape ?? [])})`).join();
        throw codedError(
          "BAD_PLUGIN",
          `checkTangent: expected the tangent ${expected[worst]} (central difference, step ${step}), found ${found[worst]} from forward mode, ` +
            `in ${subject} along direction ${turn + 1} of ${directions} (seed ${seed}); ` +
            `worst element ${formatShape(indexAt(tangent.shape, worst))} of the result`,
        );
      }
      for (const tensor of [difference, tangent, ...direction]) tensor?.dispose();
    }
  }
}

/** Where the error is largest, −1 where all are small. */
function worstElement(
  expected: ArrayLike<number>,
  found: ArrayLike<number>,
  relative: number,
  absolute: number,
): number {
  let worst = { at: -1, error: 0 };
  for (let at = 0; at < expected.length; at++) {
    const [a, b] = [expected[at] as number, found[at] as number];
    const error = Math.abs(a - b);
    if (error <= absolute + relative * Math.max(Math.abs(a), Math.abs(b))) continue;
    const weighed = Number.isNaN(error) ? Infinity : error;
    if (worst.at < 0 || weighed > worst.error) worst = { at, error: weighed };
  }
  return worst.at;
}
