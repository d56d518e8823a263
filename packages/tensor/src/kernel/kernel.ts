import type { DType } from "../dtype.js";
import type { Layout } from "../layout.js";
import type { Expression } from "../scalar/expression.js";
import type { Storage } from "../storage.js";
import type { ColumnTrace } from "./column.js";

/** Elements of a storage, read or written through a layout. */
export interface View extends Layout {
  readonly storage: Storage;
  readonly dtype: DType;
}

/** The coordinate of the element being computed, along one axis of the kernel's iteration space. */
export interface IndexOperand {
  readonly axis: number;
}

export type Operand = View | IndexOperand;

export function isIndex(operand: Operand): operand is IndexOperand {
  return "axis" in operand;
}

/** out[i] = f(operands[i]); every operand has the shape of `out` (stride 0 repeats). */
export interface MapKernel {
  readonly form: "map";
  readonly out: View;
  readonly f: Expression;
  readonly operands: readonly Operand[];
  /** Present where the result is large for what it is made of: it is made again rather than kept for another reader. */
  readonly transient?: true;
}

export type Monoid = "sum" | "product" | "max" | "min" | "argmax" | "argmin";

/**
 * out[kept] = epilogue(⊕ over `axes` of f(operands)). The operands share one iteration shape; `out` has
 * the extents of the axes that are kept, in order. argmax and argmin reduce one axis to the lowest winning index.
 */
export interface ReduceKernel {
  readonly form: "reduce";
  readonly out: View;
  readonly shape: readonly number[];
  readonly axes: readonly number[];
  readonly monoid: Monoid;
  readonly f: Expression;
  /** A formula of input 0, the reduced value. */
  readonly epilogue: Expression | null;
  readonly operands: readonly Operand[];
}

/** out[b, m, n] = Σₖ a[b, m, k] · c[b, k, n], with whatever strides the views have. */
export interface ContractKernel {
  readonly form: "contract";
  readonly out: View;
  readonly a: View;
  readonly b: View;
  /** A formula of input 0, the sum, and of `operands` in the shape of `out`. */
  readonly epilogue: Expression | null;
  readonly operands: readonly View[];
}

/**
 * Where a column program finds the N values of one coordinate d of a sample matrix:
 * `dense` rows[n, d] · `expanded` Σₜ delta[n, t, q] · x[n, t, p] with d = q·P + p ·
 * `mixed` Σₙ weights[m, n] · base[n, d], zero weights excluding even a non-finite value · `summed` over parts.
 */
export type Factors =
  | { readonly kind: "dense"; readonly rows: View }
  | { readonly kind: "expanded"; readonly delta: View; readonly x: View }
  | { readonly kind: "mixed"; readonly weights: View; readonly base: Factors }
  | { readonly kind: "summed"; readonly parts: readonly Factors[] };

/** out[d] = program(values of coordinate d, operands[d]), one coordinate at a time in bounded memory. */
export interface ColumnKernel {
  readonly form: "column";
  readonly out: View;
  readonly program: ColumnTrace;
  readonly factors: Factors;
  readonly operands: readonly View[];
}

/** A named algorithm with a shape rule and a plain-loop reference. */
export interface RoutineKernel {
  readonly form: "routine";
  readonly name: RoutineName;
  readonly inputs: readonly View[];
  readonly outputs: readonly View[];
  readonly attributes: Readonly<Record<string, number | readonly number[] | Expression>>;
}

export type RoutineName = "argsort" | "cumsum" | "gather" | "scatterAdd" | "randomBits" | "eigh" | "check" | "append";

/** Repeats `body`; `copies` move the new state into place after each turn, `until` (one bool) ends it. */
export interface IterateKernel {
  readonly form: "iterate";
  readonly body: readonly Kernel[];
  readonly copies: readonly { readonly from: View; readonly to: View }[];
  readonly until: View | null;
  readonly maximum: number;
}

export type Kernel = MapKernel | ReduceKernel | ContractKernel | ColumnKernel | RoutineKernel | IterateKernel;

/** How many samples a factor source has, and how many coordinates. */
export function factorsShape(factors: Factors): { readonly samples: number; readonly features: number } {
  switch (factors.kind) {
    case "dense":
      return { samples: factors.rows.shape[0] as number, features: factors.rows.shape[1] as number };
    case "expanded":
      return {
        samples: factors.delta.shape[0] as number,
        features: (factors.delta.shape[2] as number) * (factors.x.shape[2] as number),
      };
    case "mixed":
      return { samples: factors.weights.shape[0] as number, features: factorsShape(factors.base).features };
    case "summed":
      return factorsShape(factors.parts[0] as Factors);
  }
}
