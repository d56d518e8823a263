import type { DType } from "../dtype.js";
import { apply, constant, input, substitute, type Expression } from "../scalar/expression.js";
import { rowMajorStrides } from "../layout.js";
import type { Storage } from "../storage.js";
import { hoistInvariants } from "./hoist.js";
import { factorsShape, type ColumnKernel, type Kernel, type View } from "./kernel.js";

/** Above this many coordinates lanes along coordinates serve better than a kernel for every pass. */
const mostFeatures = 256;

/** How a factor source looks in the iteration space of its passes. */
interface Passes {
  /** N first. */
  readonly shape: readonly number[];
  readonly factors: readonly View[];
}

/**
 * A column program over few coordinates that only adds up, as reductions over the samples and maps over the coordinates;
 * null for any other.
 *
 * @param allocate  Makes a temporary storage.
 */
export function lowerColumn(
  kernel: ColumnKernel,
  allocate: (dtype: DType, length: number) => Storage,
): Kernel[] | null {
  const { factors, out, operands } = kernel;
  const program = hoistInvariants(kernel.program);
  const { samples, features } = factorsShape(factors);
  const passes = passesOf(kernel);
  if (passes === null || features > mostFeatures || features === 0 || samples === 0) return null;
  if (!program.statements.every((s) => s.kind === "let" || (s.kind === "reduce" && s.source === 0))) return null;
  const { shape, factors: values } = passes;
  const inner = shape.slice(1);
  const registers = new Map<number, View>(operands.map((view, k) => [k, view]));
  const fresh = (): View => ({
    storage: allocate(out.dtype, features),
    dtype: out.dtype,
    shape: [features],
    strides: [1],
    offset: 0,
  });
  const value = values.map((_, k) => input(k)).reduce<Expression>((a, b) => apply("mul", a, b) as Expression, ONE);
  /** A formula of registers with its operands; `first` operands stand before them. */
  const reading = (f: Expression, element: number | null, first: readonly View[], placed: (view: View) => View) => {
    const views = [...first];
    const places = new Map<number, number>();
    const body = substitute(f, (index) => {
      if (index === element) return value;
      let at = places.get(index);
      if (at === undefined) places.set(index, (at = views.push(placed(registers.get(index) as View)) - 1));
      return input(at);
    });
    return { f: body, operands: views };
  };
  const overSamples = ({ strides, ...rest }: View): View => ({
    ...rest,
    shape,
    strides: [0, ...rowMajorStrides(inner).map((step) => step * (strides[0] as number))],
  });
  const perCoordinate = ({ strides, ...rest }: View): View => ({
    ...rest,
    shape: inner,
    strides: rowMajorStrides(inner).map((step) => step * (strides[0] as number)),
  });
  const kernels: Kernel[] = [];
  for (const statement of program.statements) {
    const register = fresh();
    if (statement.kind === "let") {
      kernels.push({ form: "map", out: register, ...reading(statement.f, null, [], (view) => view) });
      registers.set(statement.register, register);
    } else if (statement.kind === "reduce") {
      const { monoid, f, element } = statement;
      kernels.push({
        form: "reduce",
        out: perCoordinate(register),
        shape,
        axes: [0],
        monoid: monoid === "mean" ? "sum" : monoid,
        epilogue: monoid === "mean" ? apply("div", input(0), constant(samples)) : null,
        ...reading(f, element, values, overSamples),
      });
      registers.set(statement.register, register);
    }
  }
  kernels.push({ form: "map", out, ...reading(program.result, null, [], (view) => view) });
  return kernels;
}

const ONE = constant(1);

function passesOf({ factors }: ColumnKernel): Passes | null {
  if (factors.kind === "dense") return { shape: factors.rows.shape, factors: [factors.rows] };
  if (factors.kind !== "expanded" || factors.delta.shape[1] !== 1) return null;
  const { delta, x } = factors;
  const [samples, , outputs] = delta.shape as [number, number, number];
  const inputs = x.shape[2] as number;
  const shape = [samples, outputs, inputs];
  const [dn, , dq] = delta.strides as [number, number, number];
  const [xn, , xp] = x.strides as [number, number, number];
  return {
    shape,
    factors: [
      { ...delta, shape, strides: [dn, dq, 0] },
      { ...x, shape, strides: [xn, 0, xp] },
    ],
  };
}
