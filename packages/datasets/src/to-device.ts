import { codedError, type Device, type Tensor } from "@robgrad/tensor";
import { describe, isHostArray, place, rowExtents, type HostArray, type HostValues } from "./host-array.js";
import { isCarried } from "./record.js";

/** The same array or record with tensors in place of host arrays. */
export type OnDevice<T> =
  T extends HostArray<HostValues>
    ? Tensor
    : T extends string | number | boolean | readonly string[]
      ? T
      : { [K in keyof T]: OnDevice<T[K]> };

/**
 * Copies host arrays to a device, as the last step of preparing data.
 *
 * Float64Array becomes a tensor of `dtype`, Int32Array (labels) an int32 tensor. In a record, text and numbers such as
 * class names stay as they are, and records inside it, such as `{ train, test }`, are copied alike.
 *
 * @param data    An array, a record of arrays, or a record of such records.
 * @param device  Where to.
 * @param dtype   Of floating arrays: "float32" (default) or, where the device has it, "float64".
 * @returns       A tensor, or a record of tensors with the keys of `data`.
 * @throws        BAD_DATA naming array, row and column of a value that is not finite in `dtype`; SHAPE_MISMATCH when
 *                values do not fill their shape; BAD_ARGUMENT when a field is not an array, a record, text or a number.
 * @example       const { features, labels } = toDevice(iris(), device);   // float32 [150, 4], int32 [150]
 */
export function toDevice<T extends object>(
  data: T,
  device: Device,
  { dtype = "float32" }: { readonly dtype?: "float32" | "float64" } = {},
): OnDevice<T> {
  if (dtype !== "float32" && dtype !== "float64") {
    throw codedError("BAD_ARGUMENT", `toDevice: expected dtype to be "float32" or "float64", found ${describe(dtype)}`);
  }
  mapArrays(data, "data", (array, name) => checkValues(array, name, dtype));
  return mapArrays(data, "data", ({ values, shape }) =>
    device.tensor(values, { shape, dtype: values instanceof Int32Array ? "int32" : dtype }),
  ) as OnDevice<T>;
}

type Visit = (array: HostArray<HostValues>, name: string) => unknown;

function mapArrays(field: unknown, name: string, visit: Visit): unknown {
  if (isHostArray(field)) return visit(field, name);
  if (isCarried(field)) return field;
  if (!isRecord(field)) {
    throw codedError(
      "BAD_ARGUMENT",
      `toDevice: expected ${name} to be { values: Float64Array or Int32Array, shape } or a record of such, found ${describe(field)}`,
    );
  }
  return Object.fromEntries(
    Object.entries(field).map(([key, value]) => [key, mapArrays(value, `${name}.${key}`, visit)]),
  );
}

function checkValues(array: HostArray<HostValues>, name: string, dtype: "float32" | "float64"): void {
  const { values, shape } = array;
  if (shape.length > 0) rowExtents(`toDevice: ${name}`, array);
  if (values instanceof Int32Array) return;
  const representable = dtype === "float32" ? Math.fround : Number;
  const bad = values.findIndex((value) => !Number.isFinite(representable(value)));
  if (bad < 0) return;
  const where = shape.length === 0 ? name : `${name}, ${place(bad, shape)}`;
  throw codedError("BAD_DATA", `toDevice: expected values finite in ${dtype}, found ${values[bad]} in ${where}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || "values" in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
