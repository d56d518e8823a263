import { binary, integer, unary, type Code, type Variable } from "./assembler.js";
import type { ColumnVectors } from "./column-vectors.js";
import { and, f64x2, joinHalves, not, or, select, upperHalf } from "./lanes.js";
import { overLanes, type NonzeroSamples } from "./panels.js";
import type { TileRegisters } from "./tile-registers.js";
import { clampedPolynomial, type ClampedPolynomial } from "../../kernel/clamped-polynomial.js";
import type { ColumnStatement } from "../../kernel/column.js";
import { normalize } from "../../scalar/expression.js";

export type Reduction = Extract<ColumnStatement, { kind: "reduce" }>;

type Halves = readonly [low: Variable, high: Variable];

/** True for a reduction of the elements as they are. */
export function isElement({ f, element }: Reduction): boolean {
  return f.kind === "input" && f.index === element;
}

/**
 * Answers reductions of the factors' values that are polynomials from power sums: one walk serves the mean, the variance
 * and a clamped cubic. Samples that the clamp holds back are found by a bound and put right one by one.
 */
export class ColumnMoments {
  readonly #registers: TileRegisters;
  readonly #vectors: ColumnVectors;
  /** Walks all values for a reduction, into its register. */
  readonly #reduce: (s: Reduction) => void;
  /** Registers that hold the mean of all elements. */
  readonly #means = new Set<number>();
  /** Power sums of the elements less a pivot (a register; −1 for none), one vector of totals for each power. */
  readonly #sums = new Map<number, readonly (readonly Variable[])[]>();

  constructor(registers: TileRegisters, vectors: ColumnVectors, reduce: (s: Reduction) => void) {
    this.#registers = registers;
    this.#vectors = vectors;
    this.#reduce = reduce;
  }

  /** What is known before a loop holds inside it, but not the other way round. */
  within(loop: () => void): void {
    const outside = new Map(this.#sums);
    loop();
    this.#sums.clear();
    for (const [pivot, sums] of outside) this.#sums.set(pivot, sums);
  }

  /** Notes that a register holds the mean of all elements. */
  known(mean: number): void {
    this.#means.add(mean);
  }

  /** A reduction as a polynomial of power sums, where it is one of the factors' own elements. */
  #polynomial(s: Reduction, vector: number): ClampedPolynomial<Code> | null {
    const source = this.#vectors.at(s.source);
    if (s.monoid === "max" || s.monoid === "min" || source.maps.length > 0) return null;
    if (!this.#vectors.whole(source)) return null;
    const constants = this.#registers.constantsOf(s.f);
    const type = this.#registers.settings.wide ? "f64" : "f32";
    return clampedPolynomial(
      normalize(s.f),
      s.element,
      this.#registers.floats,
      (k) => (f) => this.#registers.get(k, vector)(f),
      (slot) => (f) => constants(slot, type)(f),
    );
  }

  /**
   * Answers a reduction if its power sums are known, or if a clamped cubic of the same pivot comes now or later. A tile
   * where that would cost digits or time walks all samples.
   */
  answer(s: Reduction, later: readonly ColumnStatement[]): boolean {
    const { nonzero } = this.#vectors;
    if (nonzero === null) return false;
    const form = this.#polynomial(s, 0);
    if (form === null) return false;
    const { f, floats } = this.#registers;
    const key = form.pivot ?? -1;
    let known = this.#sums.get(key);
    if (known === undefined) {
      const gains = (next: ColumnStatement, about: number) => {
        const other = next.kind === "reduce" ? this.#polynomial(next, 0) : null;
        return (
          other !== null && other.clamp !== null && other.coefficients.length === 4 && (other.pivot ?? -1) === about
        );
      };
      if (s.monoid === "mean" && isElement(s) && later.some((next) => gains(next, s.register))) {
        this.#sumsAbout(s.register);
        f.scope(() => this.#meanAndPowers(s.register));
        return true;
      }
      if (![s, ...later].some((next) => gains(next, key))) return false;
      known = this.#sumsAbout(key);
      f.scope(() => this.#sumPowers(form.pivot));
    }
    const sums = known;
    if (form.clamp === null) {
      const totals = this.#registers.each((v) =>
        this.#sumOf(this.#polynomial(s, v) as ClampedPolynomial<Code>, v, sums, null),
      );
      const { samples } = this.#vectors;
      this.#registers.assign(
        s.register,
        totals.map((total) => (s.monoid === "mean" ? floats.div(total, floats.constant(samples)) : total)),
      );
    } else f.scope(() => this.#clampedSum(s, sums, nonzero));
    return true;
  }

  /** The totals of power sums about a register, made on first use. */
  #sumsAbout(key: number): readonly (readonly Variable[])[] {
    let known = this.#sums.get(key);
    if (known === undefined) this.#sums.set(key, (known = [1, 2, 3].map(() => this.#registers.variables())));
    return known;
  }

  /** Σu, Σu², Σu³ of u = element − pivot into the totals of the pivot. */
  #sumPowers(pivot: number | null): void {
    const totals = this.#walkPowers(pivot);
    this.#sumsAbout(pivot ?? -1).forEach((list, k) => {
      list.forEach((variable, v) => {
        this.#registers.f.set(variable, this.#joined(((totals[k] as Halves[])[v] as Halves).map(({ get }) => get)));
      });
    });
  }

  /** The same in float64, by power and vector. Σu is 0, up to the rounding of the pivot, where that is the mean. */
  #walkPowers(pivot: number | null): readonly (readonly Halves[])[] {
    const { f, floats, settings } = this.#registers;
    const { wide } = settings;
    const centred = pivot !== null && this.#means.has(pivot);
    const powers = [1, 2, 3];
    const partial = powers.map(() => this.#registers.variables());
    const totals = powers.map(() => this.#registers.each((): Halves => [f.variable("v128"), f.variable("v128")]));
    const reset = () => {
      for (const list of partial) for (const variable of list) f.set(variable, floats.constant(0));
    };
    const add = (k: number, v: number, part: Code) => {
      const [low, high] = (totals[k] as Halves[])[v] as Halves;
      if (wide) {
        f.set(low, f64x2.add(low.get, part));
        return;
      }
      f.set(low, f64x2.add(low.get, unary("f64x2.promote_low_f32x4", part)));
      f.set(high, f64x2.add(high.get, unary("f64x2.promote_low_f32x4", upperHalf(part))));
    };
    const collect = () => {
      partial.forEach((list, k) => list.forEach((part, v) => add(k, v, part.get)));
      reset();
    };
    reset();
    for (const list of totals) for (const pair of list) for (const total of pair) f.set(total, f64x2.constant(0));
    const take = (elements: readonly Code[], into: (k: number, v: number, power: Code) => void) => {
      elements.forEach((element, v) => {
        const u = f.let("v128", pivot === null ? element : floats.sub(element, this.#registers.get(pivot, v)));
        const square = f.let("v128", floats.mul(u, u));
        [u, square, floats.mul(square, u)].forEach((power, k) => {
          if (k > 0 || !centred) into(k, v, power);
        });
      });
    };
    this.#vectors.walk(
      this.#vectors.at(0),
      (elements) => {
        take(elements, (k, v, power) => {
          const variable = (partial[k] as Variable[])[v] as Variable;
          f.set(variable, floats.add(variable.get, power));
        });
      },
      collect,
    );
    const { nonzero } = this.#vectors;
    if (pivot !== null && nonzero !== null) {
      take(
        this.#registers.each(() => floats.constant(0)),
        (k, v, power) => add(k, v, f.let("v128", floats.mul(nonzero.zeros, power))),
      );
    }
    return totals;
  }

  /** Float64 halves as one vector of the tile. */
  #joined(halves: readonly Code[]): Code {
    const [low, high] = halves as readonly [Code, Code];
    const { f, settings } = this.#registers;
    if (settings.wide) return low;
    const narrow = (half: Code) => f.let("v128", unary("f32x4.demote_f64x2_zero", half));
    return joinHalves(narrow(low), narrow(high));
  }

  #allTrue(mask: Code): Code {
    return unary(this.#registers.settings.wide ? "i64x2.all_true" : "i32x4.all_true", mask);
  }

  /**
   * The mean, and the power sums about it, in one walk: about 0 first, then moved. Where the mean is not small against
   * the deviation that would lose digits, and a second walk sums about the mean.
   */
  #meanAndPowers(register: number): void {
    const { f, floats, settings } = this.#registers;
    const sums = this.#sumsAbout(register);
    const { samples } = this.#vectors;
    const count = f64x2.constant(samples);
    const powers = this.#walkPowers(null);
    const safe = this.#registers.each((v) => {
      const [first, second, third] = powers.map((list) => list[v]) as [Halves, Halves, Halves];
      const halves = (settings.wide ? [0] : [0, 1]).map((half) => {
        const [t1, t2, t3] = [first, second, third].map((pair) => (pair[half] as Variable).get) as [Code, Code, Code];
        const mean = f.let("v128", f64x2.div(t1, count));
        const c2 = f64x2.max(f64x2.sub(t2, f64x2.mul(t1, mean)), f64x2.constant(0));
        // Σ(g − m)³ = Σg³ − 3m·Σg² + 2m²·Σg
        const drift = f64x2.sub(f64x2.mul(f64x2.mul(mean, t1), f64x2.constant(2)), f64x2.mul(t2, f64x2.constant(3)));
        return { mean, c2: f.let("v128", c2), c3: f.let("v128", f64x2.add(t3, f64x2.mul(mean, drift))), t2 };
      });
      const joined = (part: (half: (typeof halves)[number]) => Code) => f.let("v128", this.#joined(halves.map(part)));
      const mean = joined((half) => half.mean);
      const c2 = joined((half) => half.c2);
      const t2 = joined((half) => half.t2);
      const c3 = joined((half) => half.c3);
      f.set(this.#registers.of(register)[v] as Variable, mean);
      [floats.constant(0), c2, c3].forEach((power, k) => f.set((sums[k] as Variable[])[v] as Variable, power));
      const near = floats.le(floats.mul(floats.mul(mean, mean), floats.constant(samples / 4)), c2);
      return f.let("v128", or(or(near, floats.eq(t2, floats.constant(0))), this.#registers.used(v, false)));
    });
    this.#means.add(register);
    f.if(unary("i32.eqz", this.#allTrue(safe.reduce(and))), () => f.scope(() => this.#sumPowers(register)));
  }

  /** Σ P(slope · u) from power sums. */
  #sumOf(
    form: ClampedPolynomial<Code>,
    vector: number,
    sums: readonly (readonly Variable[])[],
    slope: Code | null,
  ): Code {
    const { f, floats } = this.#registers;
    let power: Code | null = null;
    let sum: Code | null = null;
    form.coefficients.forEach((coefficient, k) => {
      if (k > 0 && slope !== null) power = f.let("v128", power === null ? slope : floats.mul(power, slope));
      if (coefficient === null) return;
      let moment =
        k === 0 ? floats.constant(this.#vectors.samples) : ((sums[k - 1] as Variable[])[vector] as Variable).get;
      if (power !== null) moment = floats.mul(power, moment);
      const term = floats.mul(coefficient, moment);
      sum = f.let("v128", sum === null ? term : floats.add(sum, term));
    });
    return sum ?? floats.constant(0);
  }

  #clampedSum(s: Reduction, sums: readonly (readonly Variable[])[], nonzero: NonzeroSamples): void {
    const { f, floats, settings } = this.#registers;
    const { samples } = this.#vectors;
    const forms = this.#registers.each((v) => this.#polynomial(s, v) as ClampedPolynomial<Code>);
    const clamps = forms.map(({ clamp }) => {
      const { slope, low, high } = clamp as NonNullable<ClampedPolynomial<Code>["clamp"]>;
      return { slope: f.let("v128", slope), low: f.let("v128", low), high: f.let("v128", high) };
    });
    const pivots = forms.map(({ pivot }, v) => (pivot === null ? floats.constant(0) : this.#registers.get(pivot, v)));
    const totals = forms.map((form, v) => {
      const total = f.variable("v128");
      f.set(total, this.#sumOf(form, v, sums, (clamps[v] as (typeof clamps)[number]).slope));
      return total;
    });

    // |z| ≤ |slope| (|element| + |pivot|): how large an element has to be to reach the clamp.
    const reach = this.#registers.each((v) => {
      const { slope, low, high } = clamps[v] as (typeof clamps)[number];
      const nearest = floats.min(floats.neg(low), high);
      const least = floats.sub(floats.div(nearest, floats.abs(slope)), floats.abs(pivots[v] as Code));
      return f.let("v128", select(this.#registers.used(v), least, floats.constant(Infinity)));
    });

    // Power sums serve where z is of the size of 1, and u far from where its cube leaves float32.
    const fits = this.#registers.each((v) => {
      const { slope, low, high } = clamps[v] as (typeof clamps)[number];
      const second = f.let("v128", floats.div(((sums[1] as Variable[])[v] as Variable).get, floats.constant(samples)));
      const spread = floats.le(floats.mul(floats.mul(slope, slope), second), floats.constant(1));
      const size = and(floats.ge(second, floats.constant(1e-20)), floats.le(second, floats.constant(1e20)));
      const flat = and(floats.eq(second, floats.constant(0)), floats.lt(floats.abs(slope), floats.constant(Infinity)));
      const around = and(floats.lt(low, floats.constant(0)), floats.gt(high, floats.constant(0)));
      const total = (totals[v] as Variable).get;
      const finite = floats.eq(floats.sub(total, total), floats.constant(0));
      // Zeros do not reach the clamp: they are in no list.
      const positive = floats.ge(reach[v] as Code, floats.constant(0));
      const fit = and(and(and(finite, around), positive), and(or(size, flat), or(spread, flat)));
      return f.let("v128", or(this.#registers.used(v, false), fit));
    });
    const walks = f.variable("i32");
    f.set(walks, unary("i32.eqz", this.#allTrue(fits.reduce(and))));

    f.if(unary("i32.eqz", walks.get), () => {
      const bound = floats.mul(
        overLanes(f, floats.min, reach.reduce(floats.min), settings.wide),
        floats.constant(1 - 1e-5),
      );
      const corrected = f.variable("i32");
      f.set(corrected, integer(0));
      this.#eachCandidate(
        f.let("v128", bound),
        nonzero,
        (elements) => {
          const z = elements.map((element, v) =>
            f.let(
              "v128",
              floats.mul(floats.sub(element, pivots[v] as Code), (clamps[v] as (typeof clamps)[number]).slope),
            ),
          );
          const held = z.map((value, v) => {
            const { low, high } = clamps[v] as (typeof clamps)[number];
            return f.let("v128", floats.pmin(floats.pmax(value, low), high));
          });
          const differs = z.map((value, v) => floats.ne(value, held[v] as Code)).reduce(or);
          f.if(unary("v128.any_true", differs), () => {
            z.forEach((value, v) => {
              const of = (u: Code) =>
                (forms[v] as ClampedPolynomial<Code>).coefficients.reduceRight<Code>(
                  (sum, c) => (c === null ? floats.mul(sum, u) : floats.add(floats.mul(sum, u), c)),
                  floats.constant(0),
                );
              const total = totals[v] as Variable;
              f.set(total, floats.add(total.get, floats.sub(of(held[v] as Code), of(value))));
            });
            f.advance(corrected, 1);
          });
          return binary("i32.gt_u", corrected.get, integer(Math.ceil(samples / 8)));
        },
        walks,
      );
    });

    f.if(
      walks.get,
      () => f.scope(() => this.#reduce(s)),
      () => {
        this.#registers.assign(
          s.register,
          totals.map(({ get }) => (s.monoid === "mean" ? floats.div(get, floats.constant(samples)) : get)),
        );
      },
    );
  }

  /**
   * Calls `body` for the samples of the list whose values may exceed a bound, |delta| · largest; where what it returns
   * is not 0 the search ends, and `stopped` is 1.
   */
  #eachCandidate(
    bound: Code,
    { count, places, delta }: NonzeroSamples,
    body: (elements: readonly Code[]) => Code,
    stopped: Variable,
  ): void {
    const { f, floats, settings } = this.#registers;
    const { count: lanes, bytes } = floats;
    const place = f.variable("i32");
    const value = f.variable("i32");
    f.set(place, places);
    f.set(value, delta);
    const load: Code = (g) => g.load("v128.load", { base: value.get, offset: 0 });
    const groups = binary("i32.div_u", binary("i32.add", count, integer(lanes - 1)), integer(lanes));
    f.block(() => {
      f.repeatTimes(groups, () => {
        f.scope(() => {
          const mask = f.variable("i32");
          const beyond = not(floats.le(floats.mul(floats.abs(load), this.#vectors.bounds(place.get)), bound));
          f.set(mask, unary(settings.wide ? "i64x2.bitmask" : "i32x4.bitmask", beyond));
          f.block(() => {
            f.branchIf(0, unary("i32.eqz", mask.get));
            f.loop(() => {
              f.scope(() => {
                const lane = f.let("i32", unary("i32.ctz", mask.get));
                const along = (start: Code, size: number) =>
                  f.let("i32", binary("i32.add", start, binary("i32.mul", lane, integer(size))));
                const ends = body(this.#vectors.atPlace(along(place.get, 4), along(value.get, bytes)));
                f.set(stopped, ends);
                // Out of this loop and its block, the loop over groups and its block, and the search.
                f.branchIf(4, stopped.get);
                f.set(mask, binary("i32.and", mask.get, binary("i32.sub", mask.get, integer(1))));
              });
              f.branchIf(0, mask.get);
            });
          });
        });
        f.advance(place, 4 * lanes);
        f.advance(value, 16);
      });
    });
  }
}
