import { argmin, denseSamples, iterate, oneHot, where, type Tensor } from "@robgrad/tensor";
import { checkOption, isNatural } from "./option.js";

/** When the iteration for a geometric median ends. */
export interface WeiszfeldOptions {
  /** The iteration stops when no weight moves by more than this. */
  readonly tolerance?: number;
  /** Most turns. */
  readonly maximum?: number;
  /** Smallest distance told from 0, as a share of the median distance. */
  readonly epsilon?: number;
}

export const weiszfeldDefaults: Required<WeiszfeldOptions> = { tolerance: 1e-9, maximum: 1000, epsilon: 1e-6 };

export function checkWeiszfeld(rule: string, { tolerance, maximum, epsilon }: Required<WeiszfeldOptions>): void {
  checkOption(
    rule,
    "tolerance",
    tolerance,
    typeof tolerance === "number" && tolerance >= 0 && tolerance < 1,
    "in [0, 1)",
  );
  checkOption(rule, "maximum", maximum, isNatural(maximum), "to be a whole number ≥ 1");
  checkOption(rule, "epsilon", epsilon, typeof epsilon === "number" && epsilon > 0 && epsilon < 1, "in (0, 1)");
}

/**
 * Weights w of the geometric median Σₙ wₙ gₙ, from D_mn = ‖gₘ − gₙ‖² alone.
 *
 *   wₙ ∝ 1/max(ε, dₙ),   dₙ² = (Dw)ₙ − ½ wᵀDw
 *
 * It starts at the mean of the rows in the thick of it: those whose median distance to the others is at most twice the
 * smallest such. A row that is the median itself, where the iteration would crawl, is found beforehand: only the row
 * g_k with the least sum of distances can be, and it is if ‖Σ (gₙ − g_k)/‖gₙ − g_k‖‖ is below the number of rows at g_k.
 *
 * @see E. Weiszfeld (1937); Y. Vardi, C.-H. Zhang (2000), The multivariate L1-median, equations (2.6) and (2.7).
 */
export function weiszfeldWeights(
  squaredDistances: Tensor,
  { tolerance, maximum, epsilon }: Required<WeiszfeldOptions>,
): Tensor {
  const { device, dtype, shape } = squaredDistances;
  const n = shape[0] as number;
  if (n === 1) return device.ones([1], { dtype });
  // The differences above lose half of the digits: they are formed in float64 where there is one.
  const wide = device.dtypes.includes("float64") ? "float64" : dtype;
  const distances = squaredDistances.cast(wide);
  // Elsewhere a tie shows at its digits, and weights that keep theirs have settled.
  const [margin, settled] = wide === "float64" ? [1e-8, tolerance] : [1e-5, Math.max(tolerance, 1e-7)];

  const reach = denseSamples(distances).columns((c) => c.median());
  const least = reach.min();
  const coincident = least.mul(epsilon ** 2);

  const candidate = oneHot(argmin(denseSamples(distances).mean((u) => u.sqrt())), n, { dtype: wide });
  const away = candidate.matmul(distances);
  const pull = away.map((squared, limit) => where(squared.greater(limit), squared.sqrt().reciprocal(), 0), coincident);
  // ‖Σ pullₙ (gₙ − g_k)‖², of distances again; a tie, as between two rows, is not settled in favour of one of them.
  const isMedian = pull.sum().map(
    (total, weighted, energy, multiplicity) =>
      total
        .mul(weighted)
        .sub(energy.mul(0.5))
        .less(multiplicity.square().mul(1 - margin)),
    pull.matmul(away),
    pull.matmul(distances.matmul(pull)),
    pull.map((u) => where(u.equal(0), 1, 0)).sum(),
  );

  const central = reach.map((r, limit) => where(r.lessEqual(limit.mul(4)), 1, 0), least);
  const weights = iterate(
    central.div(central.sum()),
    (w) => {
      const product = distances.matmul(w);
      const energy = product.matmul(w);
      const inverse = product.map(
        (u, e, limit) => u.sub(e.mul(0.5)).maximum(limit).sqrt().reciprocal(),
        energy,
        coincident,
      );
      return inverse.div(inverse.sum());
    },
    {
      maximum,
      until: (next, previous) =>
        next
          .map((a, b) => a.sub(b).abs(), previous)
          .max()
          .map((change, done) => change.lessEqual(settled).or(done), isMedian),
    },
  );
  return where(isMedian, candidate, weights).cast(dtype);
}
