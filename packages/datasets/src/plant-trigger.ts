import { codedError, type Generator } from "@robgrad/tensor";
import { contaminatedCount, drawRows } from "./contaminated.js";
import { finiteRows, rowExtents, type HostArray } from "./host-array.js";

/** Samples with a trigger in some of them. */
export interface Triggered {
  /** [N, …] */
  readonly x: HostArray;
  /** [N] */
  readonly labels: HostArray<Int32Array>;
  /** The rows with the trigger, ascending. */
  readonly rows: Int32Array;
}

/**
 * Plants a backdoor: a few samples get a trigger, fixed values of some features, and the label that it is to call up.
 *
 *   x̃[n, d] = trigger(d) where d has one, x[n, d] elsewhere;   ỹₙ = label
 *
 * ⌈fraction·N − 1e-9⌉ rows, the first ones of generator.permutation(N). Fraction 1 puts the trigger into all rows, which
 * makes the test of how often a model obeys it.
 *
 * @param samples    x [N, …] and labels [N].
 * @param fraction   Share of rows, in [0, 1].
 * @param trigger    Values by position d of a feature within a row.
 * @param label      Of the rows with the trigger, ≥ 0.
 * @param generator  Source of the rows.
 * @returns          Both arrays, and the `rows` with the trigger.
 * @throws           BAD_ARGUMENT when an option is out of range; SHAPE_MISMATCH unless there is one label per row;
 *                   BAD_DATA when a value is not finite or there are no rows.
 * @see              T. Gu, B. Dolan-Gavitt, S. Garg (2017), BadNets: identifying vulnerabilities in the machine learning
 *                   model supply chain, §3.
 * @example
 * const { features, labels } = iris();
 * plantTrigger({ x: features, labels }, { fraction: 0.1, trigger: new Map([[3, 9]]), label: 0, generator: generator(0) });
 */
export function plantTrigger(
  { x, labels }: { readonly x: HostArray; readonly labels: HostArray<Int32Array> },
  {
    fraction,
    trigger,
    label,
    generator,
  }: {
    readonly fraction: number;
    readonly trigger: ReadonlyMap<number, number>;
    readonly label: number;
    readonly generator: Generator;
  },
): Triggered {
  const { rows, width } = finiteRows("plantTrigger: x", x);
  const { rows: labelled } = rowExtents("plantTrigger: labels", labels);
  if (labels.shape.length !== 1 || labelled !== rows) {
    throw codedError(
      "SHAPE_MISMATCH",
      `plantTrigger: expected labels of shape [${rows}], found [${labels.shape.join(", ")}]`,
    );
  }
  const count = contaminatedCount("plantTrigger", fraction, rows);
  if (!Number.isSafeInteger(label) || label < 0) {
    throw codedError("BAD_ARGUMENT", `plantTrigger: expected label to be a whole number ≥ 0, found ${String(label)}`);
  }
  for (const [position, value] of trigger) {
    if (!Number.isInteger(position) || position < 0 || position >= width || !Number.isFinite(value)) {
      throw codedError(
        "BAD_ARGUMENT",
        `plantTrigger: expected trigger to hold finite values at 0 … ${width - 1}, found ${value} at ${position}`,
      );
    }
  }
  const chosen = drawRows(generator, rows, count);
  const [values, classes] = [x.values.slice(), labels.values.slice()];
  for (const row of chosen) {
    for (const [position, value] of trigger) values[row * width + position] = value;
    classes[row] = label;
  }
  return { x: { values, shape: x.shape }, labels: { values: classes, shape: labels.shape }, rows: chosen };
}
