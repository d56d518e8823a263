import { codedError, tidy, type Tensor } from "@robgrad/tensor";
import { formatShape } from "@robgrad/tensor/kernels";
import { onesFor, propagate, zerosFor } from "../backward.js";
import { noGrad } from "../recording.js";
import { sampleGradients } from "../sample-gradients.js";
import { makeVariable } from "../variable-node.js";
import { Variable } from "../variable.js";
import { indexAt } from "./check-backward.js";

/** How far rows may be from what they should be. */
export interface SampleCheckOptions {
  /** Largest error relative to the largest gradient, 1e-10 unless given. */
  readonly relative?: number;
}

/** An element that is not what it should be. */
interface Deviation {
  readonly what: string;
  readonly at: number;
  readonly expected: number;
  readonly found: number;
  readonly error: number;
}

/**
 * Checks per-sample gradients: rows sum to what `backward` finds, and row n is the gradient of loss n alone.
 *
 * @param f        Of the parameters as Variables; returns one loss per sample, [N]. Data are what it closes over.
 * @param params   float64 tensors.
 * @returns        Resolves when both laws hold.
 * @throws         Rejects with BAD_PLUGIN giving expected, found, parameter, row and worst element, and all rows that are wrong.
 * @see            F. Dangel, F. Kunstner, P. Hennig (2020), BackPACK, §2.
 * @example
 * const x = device.ones([4, 3], { dtype: "float64" });
 * await checkSampleGradients((w) => linear(x, w).square().sum({ axis: 1 }), [device.ones([2, 3], { dtype: "float64" })]);
 */
export async function checkSampleGradients(
  f: (...params: Variable[]) => Variable,
  params: readonly Tensor[],
  { relative = 1e-10 }: SampleCheckOptions = {},
): Promise<void> {
  const found = tidy(() => {
    const variables = params.map((x) => new Variable(x));
    const losses = f(...variables);
    const wanted = new Set(variables.map(({ node }) => node));
    const [samples] = losses.shape as [number];
    const matrices = sampleGradients(losses, variables);
    const along = (seed: Variable) =>
      noGrad(() => {
        const gradients = losses.requiresGrad ? propagate(losses.node, seed, wanted) : undefined;
        return variables.map(({ node }) => (gradients?.get(node) ?? zerosFor(node)).value.copy());
      });
    const seeds = losses.device.eye(samples, samples, { dtype: losses.dtype });
    return {
      rows: variables.map((variable) => matrices.get(variable)?.rows().copy() as Tensor),
      alone: Array.from({ length: samples }, (_, n) => along(makeVariable(seeds.slice([n, n + 1]).reshape([samples])))),
      together: along(onesFor(losses.node)),
    };
  });
  const take = async (tensor: Tensor) => {
    const values = await tensor.data();
    tensor.dispose();
    return values;
  };
  const rows = await Promise.all(found.rows.map(take));
  const alone = await Promise.all(found.alone.map((list) => Promise.all(list.map(take))));
  const together = await Promise.all(found.together.map(take));
  params.forEach((x, k) => {
    const row = rows[k] as ArrayLike<number>;
    const size = x.size;
    const scale = Math.max(...Array.from(row, Math.abs), ...Array.from(together[k] as ArrayLike<number>, Math.abs), 0);
    const deviations: Deviation[] = [];
    const compare = (what: string, expected: ArrayLike<number>, actual: (i: number) => number) => {
      for (let i = 0; i < size; i++) {
        const [wanted, found] = [expected[i] as number, actual(i)];
        const error = Math.abs(wanted - found);
        if (!(error <= relative * scale)) deviations.push({ what, at: i, expected: wanted, found, error });
      }
    };
    alone.forEach((list, n) => compare(`row ${n}`, list[k] as ArrayLike<number>, (i) => row[n * size + i] as number));
    compare("the sum of rows", together[k] as ArrayLike<number>, (i) =>
      alone.reduce((total, _, n) => total + (row[n * size + i] as number), 0),
    );
    const [first] = deviations;
    if (first === undefined) return;
    const wrong = new Set(deviations.map(({ what }) => what));
    const worst = deviations.reduce((a, b) => (b.error > a.error || Number.isNaN(b.error) ? b : a), first);
    throw codedError(
      "BAD_PLUGIN",
      `checkSampleGradients: expected ${worst.what} of parameter ${k} (${x.dtype} ${formatShape(x.shape)}) to be ${worst.expected} at element ${formatShape(indexAt(x.shape, worst.at))}, ` +
        `found ${worst.found}; wrong are ${[...wrong].join(", ")}`,
    );
  });
}
