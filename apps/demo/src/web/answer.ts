/** How a rule answers when one row is elsewhere. */
export interface Answer {
  readonly rule: string;
  readonly label: string;
  /** ‖A − A₀‖, A₀ the answer with the row where its flower is. */
  readonly shift: number;
  /** ‖A‖ / ‖A₀‖. */
  readonly length: number;
  /** Between A and A₀, in degrees; NaN where either is 0. */
  readonly angle: number;
}

/** Compares an answer with the one from before. */
export function comparedAnswer(
  now: ArrayLike<number>,
  before: ArrayLike<number>,
): Pick<Answer, "shift" | "length" | "angle"> {
  const pairs = Array.from(now, (value, d) => [value, before[d]!] as const);
  const size = Math.hypot(...pairs.map(([value]) => value));
  const first = Math.hypot(...pairs.map(([, value]) => value));
  const product = pairs.reduce((sum, [a, b]) => sum + a * b, 0);
  const cosine = Math.min(1, Math.max(-1, product / size / first));
  return {
    shift: Math.hypot(...pairs.map(([a, b]) => a - b)),
    length: size / first,
    angle: (Math.acos(cosine) * 180) / Math.PI,
  };
}
