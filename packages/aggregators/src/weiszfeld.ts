import { argmin, denseSamples, iterate, oneHot, where, type Tensor } from "@robgrad/tensor";
import { apply, constant, input, mapExpression, reduceFormula, type Expression } from "@robgrad/tensor/kernels";
import { checkOption, isNatural, isPositive } from "./option.js";

/** When the iteration for a geometric median ends. */
export interface WeiszfeldOptions {
  /** The iteration stops when no weight moves by more than this. */
  readonly tolerance?: number;
  /** Most turns. */
  readonly maximum?: number;
  /** Smallest distance told from 0, as a share of the median distance. */
  readonly epsilon?: number;
  /** ν ≥ 0, in the units of the gradient: distances below it count as ν, which smooths the sum that is minimized. */
  readonly smoothing?: number;
}

export const weiszfeldDefaults: Required<WeiszfeldOptions> = {
  tolerance: 1e-9,
  maximum: 1000,
  epsilon: 1e-6,
  smoothing: 0,
};

export function checkWeiszfeld(
  rule: string,
  { tolerance, maximum, epsilon, smoothing }: Required<WeiszfeldOptions>,
): void {
  checkOption(
    rule,
    "tolerance",
    tolerance,
    typeof tolerance === "number" && tolerance >= 0 && tolerance < 1,
    "in [0, 1)",
  );
  checkOption(rule, "maximum", maximum, isNatural(maximum), "to be a whole number ≥ 1");
  checkOption(rule, "epsilon", epsilon, typeof epsilon === "number" && epsilon > 0 && epsilon < 1, "in (0, 1)");
  checkOption(rule, "smoothing", smoothing, smoothing === 0 || isPositive(smoothing), "≥ 0 and finite");
}

// Made once, so that devices recognise them; every kernel counts in a loop over a few numbers.
const [zero, one] = [constant(0), constant(1)];
const root = apply("sqrt", input(0));
const isZero = apply("where", apply("equal", input(0), zero), one, zero);
const change = apply("abs", apply("sub", input(0), input(1)));
/** Under the sum, uᵀDu */
const form = apply("mul", apply("mul", input(0), input(1)), input(2));
/** (Dw)ₙ − ½ wᵀDw */
const squared = apply("sub", input(0), apply("mul", input(1), constant(0.5)));
/** 1 for a reach of at most twice the least, as squares. */
const central = apply("where", apply("lessEqual", input(0), apply("mul", input(1), constant(4))), one, zero);

/** f of the operands, divided by its sum. */
function normalized(f: Expression, operands: readonly Tensor[]): Tensor {
  const total = reduceFormula("sum", f, operands);
  return mapExpression("weiszfeld", apply("div", f, input(operands.length)), [...operands, total]);
}

/**
 * Weights w of the geometric median Σₙ wₙ gₙ, from D_mn = ‖gₘ − gₙ‖² alone.
 *
 *   wₙ ∝ 1/max(ε, ν, dₙ),   dₙ² = (Dw)ₙ − ½ wᵀDw
 *
 * It starts at the mean of the rows in the thick of it: those whose median distance to the others is at most twice the
 * smallest such. A row that is the median itself, where the iteration would crawl, is found beforehand: only the row
 * g_k with the least sum of distances can be, and it is if ‖Σ (gₙ − g_k)/‖gₙ − g_k‖‖ is below the number of rows at g_k.
 *
 * @see E. Weiszfeld (1937); Y. Vardi, C.-H. Zhang (2000), The multivariate L1-median, equations (2.6) and (2.7).
 */
export function weiszfeldWeights(
  squaredDistances: Tensor,
  { tolerance, maximum, epsilon, smoothing }: Required<WeiszfeldOptions>,
): Tensor {
  const { device, dtype, shape } = squaredDistances;
  const n = shape[0] as number;
  if (n === 1) return device.ones([1], { dtype });
  // The differences above lose half of the digits: they are formed in float64 where there is one.
  const wide = device.dtypes.includes("float64") ? "float64" : dtype;
  const distances = squaredDistances.cast(wide);
  // Elsewhere a tie shows at its digits.
  const margin = wide === "float64" ? 1e-8 : 1e-5;

  const reach = denseSamples(distances).columns((c) => c.median());
  const least = reach.min();
  // The smallest squared distance told from 0, as a share of the least reach.
  const share = epsilon ** 2;

  const floor = apply("mul", input(2), constant(share));
  const limit = smoothing > 0 ? apply("maximum", floor, constant(smoothing ** 2)) : floor;
  const inverse = apply("reciprocal", apply("sqrt", apply("maximum", squared, limit)));
  const start = normalized(central, [reach, least]);
  const turn = (w: Tensor) => {
    const product = distances.matmul(w);
    return normalized(inverse, [product, product.matmul(w), least]);
  };
  const movement = (next: Tensor, previous: Tensor) => reduceFormula("max", change, [next, previous]);
  // With ν the minimum lies at a row only by chance: no reach is negative.
  const row = smoothing > 0 ? { weights: start, isMedian: least.less(0) } : medianRow(distances, least, share, margin);
  const weights =
    wide === "float64"
      ? iterate(start, turn, {
          maximum,
          until: (next, previous) =>
            movement(next, previous).map((moved, done) => moved.lessEqual(tolerance).or(done), row.isMedian),
        })
      : iterateInFloat32(start, turn, movement, Math.max(tolerance, 1e-7), maximum, row.isMedian);
  return where(row.isMedian, row.weights, weights).cast(dtype);
}

/** The one row that can be the median, as weights, and whether it is. */
function medianRow(
  distances: Tensor,
  least: Tensor,
  share: number,
  margin: number,
): { readonly weights: Tensor; readonly isMedian: Tensor } {
  const n = distances.shape[0] as number;
  const sums = reduceFormula("sum", root, [distances], { axis: 1 });
  const candidate = oneHot(argmin(sums), n, { dtype: distances.dtype });
  const away = candidate.matmul(distances);
  const pull = away.map((squared, r) => where(squared.greater(r.mul(share)), squared.sqrt().reciprocal(), 0), least);
  // ‖Σ pullₙ (gₙ − g_k)‖², of distances again; a tie, as between two rows, is not settled in favour of one of them.
  const isMedian = pull.sum().map(
    (total, weighted, energy, multiplicity) =>
      total
        .mul(weighted)
        .sub(energy.mul(0.5))
        .less(multiplicity.square().mul(1 - margin)),
    pull.matmul(away),
    reduceFormula("sum", form, [pull.reshape([n, 1]), distances, pull]),
    reduceFormula("sum", isZero, [pull]),
  );
  return { weights: candidate, isMedian };
}

/** Turns without a smaller movement after which the rest is rounding, once it is below `small`. */
const [patience, small] = [8, 1e-3];

/**
 * The iteration where distances keep half of float32's digits: far rows make weights of the others waver for ever, by
 * more than any useful tolerance. It also ends when the movement has stopped to shrink.
 */
function iterateInFloat32(
  start: Tensor,
  turn: (w: Tensor) => Tensor,
  movement: (next: Tensor, previous: Tensor) => Tensor,
  settled: number,
  maximum: number,
  done: Tensor,
): Tensor {
  const { device, dtype } = start;
  // Weights are at most 1, and so are their movements.
  const state = [start, device.full([], 2, { dtype }), device.zeros([], { dtype })] as const;
  const [weights] = iterate<readonly [Tensor, Tensor, Tensor]>(
    state,
    ([w, least, turns]) => {
      const next = turn(w);
      const moved = movement(next, w);
      return [
        next,
        least.minimum(moved),
        turns.map((n, least, moved) => where(moved.less(least).or(least.greater(small)), 0, n.add(1)), least, moved),
      ];
    },
    {
      maximum,
      until: ([, least, turns]) =>
        least.map(
          (least, turns, done) => least.lessEqual(settled).or(turns.greaterEqual(patience)).or(done),
          turns,
          done,
        ),
    },
  );
  return weights;
}
