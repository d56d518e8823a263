import type { Device } from "../device/device.js";
import { noFault } from "../device/faults.js";
import type { DType } from "../dtype.js";
import type { Factors, View } from "../kernel/kernel.js";
import { checkElements } from "../ops/check.js";
import { empty } from "../ops/creation.js";
import { apply, constant, input, type Expression } from "../scalar/expression.js";
import type { Tensor } from "../tensor.js";
import type { SampleMatrix } from "./sample-matrix.js";

/** Where the square of a number, and a fair sum of such squares, would leave the dtype. */
const limits: Partial<Record<DType, number>> = { float32: 2 ** 60, float64: 2 ** 500 };

const kind = "non-finite or out-of-range gradient";

/** The sample, input `index`, unless size < limit; for NaN that does not hold. */
const faulty = (size: Expression, index: number) =>
  Object.fromEntries(
    Object.entries(limits).map(([dtype, limit]) => [
      dtype,
      apply("where", apply("less", size, constant(limit)), constant(noFault), input(index)),
    ]),
  ) as Partial<Record<DType, Expression>>;

// Made once, so that devices recognise them.
const magnitude = apply("abs", input(0));
const faultyRow = faulty(input(0), 1);
const faultyProduct = faulty(apply("mul", input(0), input(1)), 2);
const orNoFault = apply("minimum", input(0), constant(noFault));

/**
 * Looks for a sample whose row is not finite, or so large that its norm would not be, in the factors of the rows.
 * Nothing waits: the first one found is written to the device's fault cell, and the next read rejects with BAD_DATA
 * naming it.
 */
export function checkSamples(
  matrix: SampleMatrix,
  { node, parameter = "" }: { readonly node: string; readonly parameter?: string },
): void {
  const { device, dtype } = matrix;
  const factors = matrix.factors ?? matrix.bounds;
  if (matrix.features === 0) return;
  if (factors === undefined) {
    const norms = matrix.squaredNorms();
    checkElements(norms, "nonFinite", { kind, node, parameter });
    return;
  }
  const report = (test: typeof faultyRow, operands: readonly View[], shape: readonly number[]) => {
    const first = empty(device, "int32", []);
    device.run({
      form: "reduce",
      out: first,
      shape,
      axes: shape.map((_, axis) => axis),
      monoid: "min",
      f: test[dtype] as Expression,
      epilogue: orNoFault,
      operands: [...operands, { axis: 0 }],
    });
    device.run({
      form: "routine",
      name: "check",
      inputs: [first],
      outputs: [device.faults],
      attributes: {
        code: device.faultCode(kind),
        node: device.origins.number(node),
        parameter: device.origins.number(parameter),
      },
    });
    first.dispose();
  };
  const visit = (source: Factors): void => {
    switch (source.kind) {
      case "dense": {
        const row = largest(device, source.rows);
        report(faultyRow, [row], row.shape);
        row.dispose();
        return;
      }
      case "expanded": {
        const delta = largest(device, source.delta);
        const x = largest(device, source.x);
        report(faultyProduct, [delta, x], delta.shape);
        delta.dispose();
        x.dispose();
        return;
      }
      case "mixed":
        return visit(source.base);
      case "summed":
        return source.parts.forEach(visit);
    }
  };
  visit(factors);
}

/** max |·| over the last axis of a factor [N, ·] or [N, T, ·] → [N] or [N, T]; NaN if any is. */
function largest(device: Device, factor: View): Tensor {
  const axis = factor.shape.length - 1;
  const out = empty(device, factor.dtype, factor.shape.slice(0, axis));
  device.run({
    form: "reduce",
    out,
    shape: factor.shape,
    axes: [axis],
    monoid: "max",
    f: magnitude,
    epilogue: null,
    operands: [factor],
  });
  return out;
}
