import { expect } from "vitest";
import type { DType } from "../dtype.js";
import type { Nested, Tensor } from "../tensor.js";

/** How far from the expected value an element may lie: within any one of the bounds given; exactly equal with none. */
export interface Tolerance {
  /** |actual − expected| ≤ relative · |expected| */
  readonly relative?: number;
  /** |actual − expected| ≤ absolute */
  readonly absolute?: number;
  /** Units in the last place of the tensor's dtype, at the expected value. */
  readonly ulps?: number;
}

const formats: Record<DType, { readonly digits: number; readonly least: number }> = {
  float32: { digits: 23, least: -126 },
  float64: { digits: 52, least: -1022 },
  int32: { digits: 0, least: 0 },
  uint32: { digits: 0, least: 0 },
  bool: { digits: 0, least: 0 },
};

/** The spacing of numbers of a dtype at `value`. */
function unitInTheLastPlace(value: number, dtype: DType): number {
  const { digits, least } = formats[dtype];
  if (digits === 0) return 1;
  const size = Math.abs(value);
  let exponent = size === 0 ? least : Math.max(least, Math.floor(Math.log2(size)));
  if (2 ** exponent > size && exponent > least) exponent--;
  return 2 ** (exponent - digits);
}

function isClose(actual: number, expected: number, dtype: DType, { relative, absolute, ulps }: Tolerance): boolean {
  if (actual === expected || (Number.isNaN(actual) && Number.isNaN(expected))) return true;
  const difference = Math.abs(actual - expected);
  if (!Number.isFinite(difference)) return false;
  return (
    (relative !== undefined && difference <= relative * Math.abs(expected)) ||
    (absolute !== undefined && difference <= absolute) ||
    (ulps !== undefined && difference <= ulps * unitInTheLastPlace(expected, dtype))
  );
}

function* mismatches(
  actual: Nested,
  expected: Nested,
  dtype: DType,
  tolerance: Tolerance,
  index: readonly number[],
): Generator<string> {
  const place = index.length === 0 ? "" : ` at [${index.join(", ")}]`;
  if (typeof actual === "number" && typeof expected === "number") {
    if (!isClose(actual, expected, dtype, tolerance)) yield `${actual} instead of ${expected}${place}`;
  } else if (typeof actual === "number" || typeof expected === "number" || actual.length !== expected.length) {
    const extent = (value: Nested) => (typeof value === "number" ? "a number" : `${value.length} entries`);
    yield `${extent(actual)} instead of ${extent(expected)}${place}`;
  } else {
    for (const [k, entry] of actual.entries())
      yield* mismatches(entry, expected[k] as Nested, dtype, tolerance, [...index, k]);
  }
}

/**
 * Expects the elements of a tensor to be those of nested arrays, as deep as it has axes. NaN equals NaN, −0 equals 0; on
 * webgpu a number below 2⁻¹²⁶ equals 0, as WGSL allows.
 *
 * @param tolerance  Exact unless given.
 * @example
 * ```ts ignore
 * await expectClose(x.exp(), [1, Math.E], { ulps: 2 });
 * ```
 */
export async function expectClose(actual: Tensor, expected: Nested, tolerance: Tolerance = {}): Promise<void> {
  const found = await actual.toArray();
  const flushed = actual.device.name === "webgpu" && actual.dtype === "float32" ? 2 ** -126 : 0;
  const allowed = { ...tolerance, absolute: Math.max(tolerance.absolute ?? 0, flushed) };
  const wrong = [...mismatches(found, expected, actual.dtype, allowed, [])];
  if (wrong.length === 0) return;
  const shown = wrong.slice(0, 5).join("; ");
  const more = wrong.length > 5 ? `; and ${wrong.length - 5} more` : "";
  expect.fail(`${actual.dtype} [${actual.shape.join(", ")}], tolerance ${JSON.stringify(tolerance)}: ${shown}${more}`);
}
