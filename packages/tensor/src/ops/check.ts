import type { FaultKind } from "../device/faults.js";
import { noFault } from "../device/faults.js";
import type { Operand } from "../kernel/kernel.js";
import { apply, constant, input, type Expression } from "../scalar/expression.js";
import { rowMajorStrides } from "../layout.js";
import type { Tensor } from "../tensor.js";
import { empty } from "./creation.js";

/** What a check looks for. */
export type FaultTest = "isNaN" | "nonFinite" | { readonly outside: readonly [number, number] };

export interface FaultOrigin {
  readonly kind: FaultKind;
  /** The node or operation that checks. */
  readonly node: string;
  /** The parameter or argument it checks. */
  readonly parameter?: string;
}

function predicate(test: FaultTest): Expression {
  const u = input(0);
  if (test === "isNaN") return apply("isNaN", u);
  if (test === "nonFinite") return apply("not", apply("isFinite", u));
  const [low, high] = test.outside;
  return apply("or", apply("less", u, constant(low)), apply("greaterEqual", u, constant(high)));
}

/**
 * Looks for a faulty element on the device. Nothing waits: the first one found is written to the device's fault
 * cell, updates are skipped while it is set, and the next read rejects with BAD_DATA naming it.
 */
export function checkElements(x: Tensor, test: FaultTest, { kind, node, parameter = "" }: FaultOrigin): void {
  const { device } = x;
  const strides = rowMajorStrides(x.shape);
  let place: Expression = constant(0);
  strides.forEach((stride, axis) => {
    place = apply("add", place, apply("mul", input(axis + 1), constant(stride)));
  });
  const first = empty(device, "int32", []);
  const indices: Operand[] = x.shape.map((_, axis) => ({ axis }));
  device.run({
    form: "reduce",
    out: first,
    shape: x.shape,
    axes: x.shape.map((_, axis) => axis),
    monoid: "min",
    f: apply("where", predicate(test), place, constant(noFault)),
    epilogue: apply("minimum", input(0), constant(noFault)),
    operands: [x, ...indices],
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
}
