import { codedError } from "@robgrad/tensor";
import { describe, formatShape, place, type HostArray, type HostValues } from "./host-array.js";

/** How a .npy file is to be read. */
export interface NpyOptions {
  /** Name of the file, for errors. */
  readonly file?: string;
}

/** What a .npy file holds: floats as float64, integers and booleans as int32. */
export type NpyArray = HostArray | HostArray<Int32Array>;

/** Bytes an element and its reader, by kind and size as in a NumPy dtype. */
const elements: Readonly<
  Record<string, { readonly bytes: number; read(view: DataView, at: number, little: boolean): number }>
> = {
  b1: { bytes: 1, read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) },
  i1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  u1: { bytes: 1, read: (view, at) => view.getUint8(at) },
  i2: { bytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  u2: { bytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  i4: { bytes: 4, read: (view, at, little) => view.getInt32(at, little) },
  u4: { bytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  i8: { bytes: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  u8: { bytes: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
  f4: { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
};

/**
 * Reads an array that NumPy saved with `np.save`.
 *
 * Format versions 1, 2 and 3; dtypes f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 and bool of either byte order; C and Fortran order.
 * The result is always row-major. Pickled objects, structures, complex and half-precision numbers are refused.
 *
 * @param bytes    The whole file.
 * @param as       "floating" gives Float64Array and takes every dtype; "integer" gives Int32Array and takes floats that
 *                 are whole numbers; when left out, floats become float64, integers and booleans int32.
 * @param options  See {@link NpyOptions}.
 * @returns        Array with the shape of the file.
 * @throws         BAD_DATA naming the file when it is not of this format, is cut short or longer than its shape says;
 *                 naming row and column (from 0) of a value that is not finite or does not fit int32.
 * @see            NumPy Enhancement Proposal 1; numpy.lib.format.
 * @example        const features = readNpy(npyBytes, { as: "floating", file: "features.npy" });
 */
export function readNpy(bytes: Uint8Array | ArrayBuffer, options: NpyOptions & { readonly as: "floating" }): HostArray;
export function readNpy(
  bytes: Uint8Array | ArrayBuffer,
  options: NpyOptions & { readonly as: "integer" },
): HostArray<Int32Array>;
export function readNpy(bytes: Uint8Array | ArrayBuffer, options?: NpyOptions): NpyArray;
export function readNpy(
  bytes: Uint8Array | ArrayBuffer,
  { file = "npy", as }: NpyOptions & { readonly as?: "floating" | "integer" } = {},
): HostArray<HostValues> {
  if (as !== undefined && as !== "floating" && as !== "integer") {
    throw codedError("BAD_ARGUMENT", `readNpy: expected as to be "floating" or "integer", found ${describe(as)}`);
  }
  const view = viewOf(bytes);
  const { descr, fortran, shape, start } = readHeader(view, file);
  const element = elements[descr.slice(1)];
  if (element === undefined || !/^[<>|=]/.test(descr)) {
    throw codedError(
      "BAD_DATA",
      `${file}: expected a dtype among f4, f8, i1 … i8, u1 … u8 and bool, found ${describe(descr)}`,
    );
  }
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (size * element.bytes !== view.byteLength - start) {
    const found = `${view.byteLength - start} ≠ ${size * element.bytes}`;
    throw codedError(
      "BAD_DATA",
      `${file}: expected as many bytes as ${formatShape(shape)} of ${descr} takes, found ${found}`,
    );
  }

  const little = descr[0] !== ">";
  const floating = (as ?? (descr[1] === "f" ? "floating" : "integer")) === "floating";
  const values = floating ? new Float64Array(size) : new Int32Array(size);
  const target = fortran ? rowMajorOrder(shape) : undefined;
  for (let k = 0; k < size; k++) {
    const value = element.read(view, start + k * element.bytes, little);
    const position = target?.[k] ?? k;
    if (floating ? !Number.isFinite(value) : value !== (value | 0)) {
      const hint = floating ? "a finite number" : 'an integer within int32 (or say as: "floating")';
      throw codedError(
        "BAD_DATA",
        `${file}, ${shape.length === 0 ? "its value" : place(position, shape)}: expected ${hint}, found ${value}`,
      );
    }
    values[position] = value;
  }
  return { values, shape };
}

function viewOf(bytes: Uint8Array | ArrayBuffer): DataView {
  if (bytes instanceof Uint8Array) return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes instanceof ArrayBuffer) return new DataView(bytes);
  throw codedError("BAD_ARGUMENT", `readNpy: expected a Uint8Array or an ArrayBuffer, found ${describe(bytes)}`);
}

function readHeader(view: DataView, file: string) {
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
  if (view.byteLength < 12 || magic.some((byte, k) => view.getUint8(k) !== byte)) {
    throw codedError("BAD_DATA", `${file}: expected a .npy file, found other bytes`);
  }
  const version = view.getUint8(6);
  if (version < 1 || version > 3)
    throw codedError("BAD_DATA", `${file}: expected .npy format 1, 2 or 3, found ${version}`);
  const from = version === 1 ? 10 : 12;
  const start = from + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (start > view.byteLength)
    throw codedError(
      "BAD_DATA",
      `${file}: expected a header of ${start} bytes, found the end after ${view.byteLength}`,
    );
  const header = new TextDecoder().decode(Uint8Array.from({ length: start - from }, (_, k) => view.getUint8(from + k)));
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const extents = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (descr === undefined || order === undefined || extents === undefined) {
    throw codedError(
      "BAD_DATA",
      `${file}: expected a header with a plain dtype, an order and a shape, found ${describe(header)}`,
    );
  }
  return { descr, fortran: order === "True", shape: (extents.match(/\d+/g) ?? []).map(Number), start };
}

/** For every element in column-major order, its row-major position. */
function rowMajorOrder(shape: readonly number[]): Int32Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, extent) => product * extent, 1));
  const size = shape.reduce((product, extent) => product * extent, 1);
  return Int32Array.from({ length: size }, (_, k) => {
    let position = 0;
    let left = k;
    shape.forEach((extent, axis) => {
      position += (left % extent) * strides[axis]!;
      left = Math.floor(left / extent);
    });
    return position;
  });
}
