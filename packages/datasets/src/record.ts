import { codedError } from "@robgrad/tensor";
import {
  describe,
  formatShape,
  isHostArray,
  rowExtents,
  takeRows,
  type HostArray,
  type HostValues,
} from "./host-array.js";

/** What a record of samples may hold: arrays that share their first axis; text and numbers, which are carried along. */
export type Field = HostArray<HostValues> | string | number | boolean | readonly string[];

/** A record whose arrays hold the same samples, such as a `Dataset` or `{ x, labels }`. */
export type SampleRecord<R> = { readonly [K in keyof R]: Field };

/** Some of the rows of a record: arrays stay arrays of their kind, text and numbers stay as they are. */
export type RowsOf<R> = { [K in keyof R]: R[K] extends HostArray<infer V> ? HostArray<V> : R[K] };

/** The number of samples of a record. */
export function sampleCount(subject: string, data: object): number {
  if (isHostArray(data)) {
    throw codedError("BAD_ARGUMENT", `${subject}: expected a record of arrays, found one array; write { x: array }`);
  }
  let first: { name: string; rows: number } | undefined;
  for (const [name, field] of Object.entries(data) as [string, unknown][]) {
    if (isCarried(field)) continue;
    if (!isHostArray(field)) {
      throw codedError(
        "BAD_ARGUMENT",
        `${subject}: expected data.${name} to be { values: Float64Array or Int32Array, shape }, found ${describe(field)}`,
      );
    }
    const { rows } = rowExtents(`${subject}: data.${name}`, field);
    first ??= { name, rows };
    if (rows !== first.rows) {
      const found = `${rows} ≠ ${first.rows} (${name}: ${formatShape(field.shape)})`;
      throw codedError(
        "SHAPE_MISMATCH",
        `${subject}: expected data.${name}.shape[0] = data.${first.name}.shape[0], found ${found}`,
      );
    }
  }
  if (first === undefined)
    throw codedError("BAD_ARGUMENT", `${subject}: expected a record with at least one array, found ${describe(data)}`);
  if (first.rows === 0)
    throw codedError("BAD_DATA", `${subject}: expected at least one sample, found data.${first.name}.shape[0] = 0`);
  return first.rows;
}

export function takeSamples<R extends object>(data: R, rows: Int32Array): RowsOf<R> {
  const taken = Object.entries(data).map(([name, field]: [string, unknown]) => [
    name,
    isHostArray(field) ? takeRows(field, rows) : field,
  ]);
  return Object.fromEntries(taken) as RowsOf<R>;
}

export function isCarried(field: unknown): field is string | number | boolean | readonly string[] {
  if (Array.isArray(field)) return field.length > 0 && field.every((item) => typeof item === "string");
  return typeof field === "string" || typeof field === "number" || typeof field === "boolean";
}
