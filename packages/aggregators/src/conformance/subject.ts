import { denseSamples, tidy, type Device, type DeviceName, type SampleMatrix } from "@robgrad/tensor";
import type { Aggregator } from "../aggregator.js";
import type { AggregatorFactory, Claims } from "./claims.js";
import { sizeOf, type Rows } from "./rows.js";

/** A rule under test, asked with host rows. */
export class Subject {
  readonly device: Device;
  readonly claims: Claims;
  readonly #factory: AggregatorFactory;
  readonly #others: ReadonlyMap<DeviceName, Device>;

  /** @param others  Devices to compare with. */
  constructor(
    device: Device,
    factory: AggregatorFactory,
    claims: Claims,
    others: ReadonlyMap<DeviceName, Device> = new Map(),
  ) {
    this.device = device;
    this.claims = claims;
    this.#factory = factory;
    this.#others = others;
  }

  make(): Aggregator {
    return this.#factory(this.device);
  }

  /** The same rule on another device. */
  on(device: Device): Subject {
    return new Subject(device, this.#factory, this.claims);
  }

  /** The same rule on one of the devices to compare with. */
  onOther(name: DeviceName): Subject {
    const device = this.#others.get(name);
    if (device === undefined) throw new Error(`expected ${name} to be open`);
    return this.on(device);
  }

  get dtypes(): readonly ("float32" | "float64")[] {
    return (["float32", "float64"] as const).filter((dtype) => this.device.dtypes.includes(dtype));
  }

  /** The widest dtype: equalities are tested in it. */
  get dtype(): "float32" | "float64" {
    return this.dtypes.at(-1) ?? "float32";
  }

  /** The nearest number of samples that the rule takes. */
  samples(count: number): number {
    const { minimumSamples = 1, maximumSamples = 128 } = this.claims;
    return Math.max(Math.min(count, maximumSamples), minimumSamples);
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
  agree(
    what: string,
    found: readonly number[],
    expected: readonly number[],
    about: Rows,
    dtype: "float32" | "float64" = "float64",
  ): void {
    const { tolerance = 1e-6 } = this.claims;
    const allowed = (dtype === "float32" ? Math.max(1e-4, tolerance) : tolerance) * sizeOf(about);
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
