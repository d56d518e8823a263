import type { FaultKind } from "../device/faults.js";
import { noFault } from "../device/faults.js";
import { apply, constant, input, type Expression } from "../scalar/expression.js";
import type { Tensor } from "../tensor.js";
import { contiguous, empty } from "./creation.js";

/** What a check looks for. */
export type FaultTest = "isNaN" | "nonFinite" | { readonly outside: readonly [number, number] };

export interface FaultOrigin {
  readonly kind: FaultKind;
  /** The node or operation that checks. */
  readonly node: string;
  /** The parameter or argument it checks. */
  readonly parameter?: string;
}

const u = input(0);
const isNaN = apply("isNaN", u);
const nonFinite = apply("not", apply("isFinite", u));

/** The place of a faulty element, or the value for none. */
function placeOfFault(test: FaultTest): Expression {
  let faulty = test === "isNaN" ? isNaN : nonFinite;
  if (typeof test !== "string") {
    const [low, high] = test.outside;
    // Not in range rather than out of range, which NaN is not.
    faulty = apply("not", apply("and", apply("greaterEqual", u, constant(low)), apply("less", u, constant(high))));
  }
  return apply("where", faulty, input(1), constant(noFault));
}

const places = { isNaN: placeOfFault("isNaN"), nonFinite: placeOfFault("nonFinite") };
const orNoFault = apply("minimum", input(0), constant(noFault));

/**
 * Looks for a faulty element on the device. Nothing waits: the first one found is written to the device's fault
 * cell, updates are skipped while it is set, and the next read rejects with BAD_DATA naming it.
 */
export function checkElements(x: Tensor, test: FaultTest, { kind, node, parameter = "" }: FaultOrigin): void {
  const { device } = x;
  const dense = contiguous(x);
  const { storage, dtype, offset } = dense;
  const first = empty(device, "int32", []);
  device.run({
    form: "reduce",
    out: first,
    shape: [x.size],
    axes: [0],
    monoid: "min",
    f: typeof test === "string" ? places[test] : placeOfFault(test),
    epilogue: orNoFault,
    operands: [{ storage, dtype, shape: [x.size], strides: [1], offset }, { axis: 0 }],
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
  if (dense !== x) dense.dispose();
}
