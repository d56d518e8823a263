import { denseSamples, tidy, type Device, type SampleMatrix } from "@robgrad/tensor";
import type { Aggregator } from "../aggregator.js";
import type { AggregatorFactory, Claims } from "./claims.js";
import { sizeOf, type Rows } from "./rows.js";

/** A rule under test, asked with host rows. */
export class Subject {
  readonly device: Device;
  readonly claims: Claims;
  readonly #factory: AggregatorFactory;

  constructor(device: Device, factory: AggregatorFactory, claims: Claims) {
    this.device = device;
    this.claims = claims;
    this.#factory = factory;
  }

  make(): Aggregator {
    return this.#factory(this.device);
  }

  get dtypes(): readonly ("float32" | "float64")[] {
    return (["float32", "float64"] as const).filter((dtype) => this.device.dtypes.includes(dtype));
  }

  /** The widest dtype: equalities are tested in it. */
  get dtype(): "float32" | "float64" {
    return this.dtypes.at(-1) ?? "float32";
  }

  /** Shortens or keeps a number of samples so that the rule takes it. */
  samples(count: number): number {
    return Math.max(count, this.claims.minimumSamples ?? 1);
  }

  /** A dense sample matrix of the rows. */
  dense(rows: Rows, dtype: "float32" | "float64" = this.dtype): SampleMatrix {
    const width = rows[0]?.length ?? 0;
    return denseSamples(this.device.tensor(rows.flat(), { shape: [rows.length, width], dtype }));
  }

  /** What a rule answers about a matrix; everything made on the way is disposed. */
  async ask(rule: Aggregator, matrix: () => SampleMatrix): Promise<Answer> {
    const result = tidy(() => rule(matrix()));
    try {
      return { values: Array.from(await result.data()), shape: result.shape, dtype: result.dtype };
    } finally {
      result.dispose();
    }
  }

  async answer(rows: Rows, dtype: "float32" | "float64" = this.dtype): Promise<readonly number[]> {
    return (await this.ask(this.make(), () => this.dense(rows, dtype))).values;
  }

  /** Throws unless two answers about rows of some size agree. */
  agree(what: string, found: readonly number[], expected: readonly number[], about: Rows): void {
    const allowed = (this.claims.tolerance ?? 1e-6) * sizeOf(about);
    const difference = Math.max(...expected.map((value, d) => Math.abs(value - (found[d] as number))));
    if (found.length === expected.length && difference <= allowed) return;
    throw new Error(
      `expected ${what}, found ${format(found)} ≠ ${format(expected)} (difference ${difference}, allowed ${allowed})`,
    );
  }
}

export interface Answer {
  readonly values: readonly number[];
  readonly shape: readonly number[];
  readonly dtype: string;
}

export function format(values: readonly number[]): string {
  return `[${values.map((value) => Number(value.toPrecision(6))).join(", ")}]`;
}
