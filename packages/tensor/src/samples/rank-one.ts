import { mapExpression, where } from "../ops/elementwise.js";
import { reduceFormula } from "../ops/reduction.js";
import { apply, constant, input, type Expression } from "../scalar/expression.js";
import type { Tensor } from "../tensor.js";
import { square, squaredDifference } from "./questions.js";

// Closed forms for rows δₙ ⊗ xₙ, without forming a row.

/** 2^⌊log₂ max|u|⌋ as a tensor of rank 0; 1 for zeros. */
function powerOfTwo(u: Tensor): Tensor {
  const largest = reduceFormula("max", apply("abs", input(0)), [u]);
  const exponent = apply("floor", apply("div", apply("log", input(0)), constant(Math.LN2)));
  const power = apply("pow", constant(2), exponent);
  const usable = apply("and", apply("greater", input(0), constant(0)), apply("isFinite", input(0)));
  return mapExpression("squaredDistances", apply("where", usable, power, constant(1)), [largest]);
}

/**
 * Factors brought near 1 by powers of two, so that their squares and products stay in range in float32, and how to
 * undo that on products of two factors each; float64 has the range anyway.
 */
function scaled(
  delta: Tensor,
  x: Tensor,
): { readonly delta: Tensor; readonly x: Tensor; readonly restore: (y: Tensor) => Tensor } {
  if (delta.dtype === "float64" || delta.size === 0 || x.size === 0) return { delta, x, restore: (y) => y };
  const a = powerOfTwo(delta);
  const b = powerOfTwo(x);
  return {
    delta: delta.div(a),
    x: x.div(b),
    restore: (y) => {
      const scale = a.mul(b);
      return y.mul(scale).mul(scale);
    },
  };
}

/** ⟨gₘ, gₙ⟩ = ⟨δₘ, δₙ⟩⟨xₘ, xₙ⟩ */
export function rankOneGram(delta: Tensor, x: Tensor): Tensor {
  const near = scaled(delta, x);
  const inner = (factor: Tensor) => factor.matmul(factor.transpose());
  return near.restore(inner(near.delta).mul(inner(near.x)));
}

/** ‖gₙ‖² = ‖δₙ‖²‖xₙ‖² */
export function rankOneNorms(delta: Tensor, x: Tensor): Tensor {
  const near = scaled(delta, x);
  const norms = (factor: Tensor) => reduceFormula("sum", square, [factor], { axis: 1 });
  return near.restore(norms(near.delta).mul(norms(near.x)));
}

const differenceTimesSum = apply("mul", apply("sub", input(0), input(1)), apply("add", input(0), input(1)));
const productOfDifferences = apply("mul", apply("sub", input(0), input(1)), apply("sub", input(2), input(3)));

/** 2(‖uₙ‖² + ‖uₘ‖²) − ‖u₋‖² of inputs (‖u₋‖², ‖uₙ‖², ‖uₘ‖²), which is ‖u₊‖² */
const sumSquared = (minus: number, n: number) =>
  apply("sub", apply("mul", constant(2), apply("add", input(n), input(n + 1))), input(minus));

/** max(0, ¼(‖δ₋‖²‖x₊‖² + 2⟨δ₋,δ₊⟩⟨x₋,x₊⟩ + ‖δ₊‖²‖x₋‖²)) of (‖δ₋‖², ‖x₋‖², ‖δₙ‖², ‖δₘ‖², ‖xₙ‖², ‖xₘ‖², ⟨δ₋,δ₊⟩⟨x₋,x₊⟩) */
const quarter = apply(
  "maximum",
  constant(0),
  apply(
    "mul",
    constant(0.25),
    apply(
      "add",
      apply("add", apply("mul", input(0), sumSquared(1, 4)), apply("mul", constant(2), input(6))),
      apply("mul", sumSquared(0, 2), input(1)),
    ),
  ),
);

/** Σₖ f(uₙₖ, uₘₖ) → [N, N] */
function pairwise(f: Expression, u: Tensor): Tensor {
  const [n, k] = u.shape as [number, number];
  return reduceFormula("sum", f, [u.reshape([n, 1, k]), u.reshape([1, n, k])], { axis: 2 });
}

/** ⟨δ₋,δ₊⟩⟨x₋,x₊⟩ → [N, N], where ⟨u₋,u₊⟩ = ‖uₙ‖² − ‖uₘ‖²; in float64 that keeps the digits of float32. */
function crossProducts(delta: Tensor, x: Tensor): Tensor {
  if (delta.dtype === "float64" || !delta.device.dtypes.includes("float64"))
    return pairwise(differenceTimesSum, delta).mul(pairwise(differenceTimesSum, x));
  const norms = [delta, x].flatMap((factor) => {
    const squared = reduceFormula("sum", square, [factor.cast("float64")], { axis: 1 });
    return [squared.reshape([-1, 1]), squared];
  });
  return mapExpression("squaredDistances", productOfDifferences, norms).cast(delta.dtype);
}

/**
 * Factors with their signs turned together, which changes no row, so that the xₙ point the same way where there is one:
 * then ‖x₊‖² is no small difference of large numbers for rows that are close. A first row that stands alone is outvoted.
 *
 * @param norms  ‖xₙ‖²
 */
function aligned(delta: Tensor, x: Tensor, norms: Tensor): readonly [Tensor, Tensor] {
  const sign = (along: Tensor) => along.less(0).cast(along.dtype).mul(-2).add(1);
  const first = sign(x.matmul(x.slice([0, 1]).reshape([-1])));
  const way = where(norms.greater(0), first.div(norms.sqrt()), 0).matmul(x);
  const signs = sign(x.matmul(way)).reshape([-1, 1]);
  return [delta.mul(signs), x.mul(signs)];
}

/**
 * ‖gₙ − gₘ‖² = ¼(‖δ₋‖²‖x₊‖² + 2⟨δ₋,δ₊⟩⟨x₋,x₊⟩ + ‖δ₊‖²‖x₋‖²) with δ± = δₙ ± δₘ, x± = xₙ ± xₘ. Differences are
 * pairwise, with no reference row, so neither a large common part nor one hostile row costs digits.
 */
export function rankOneDistances(delta: Tensor, x: Tensor): Tensor {
  const near = scaled(delta, x);
  const [p, q] = [near.delta, near.x].map((u) => reduceFormula("sum", square, [u], { axis: 1 })) as [Tensor, Tensor];
  const norms = [p.reshape([-1, 1]), p, q.reshape([-1, 1]), q];
  const empty = delta.size === 0 || x.size === 0;
  const [d, y] = empty ? [near.delta, near.x] : aligned(near.delta, near.x, q);
  const squares = [pairwise(squaredDifference, d), pairwise(squaredDifference, y)];
  return near.restore(mapExpression("squaredDistances", quarter, [...squares, ...norms, crossProducts(d, y)]));
}
