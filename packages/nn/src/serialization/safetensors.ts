import { codedError, type DType, type TypedArray } from "@robgrad/tensor";
import { repeatedKey } from "./repeated-key.js";

/** A tensor of a file. */
export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** What a file holds. */
export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

// Elements are little-endian in the file and, on everything that runs WebAssembly, in typed arrays.
const formats = {
  F64: { dtype: "float64", array: Float64Array },
  F32: { dtype: "float32", array: Float32Array },
  I32: { dtype: "int32", array: Int32Array },
  U32: { dtype: "uint32", array: Uint32Array },
  BOOL: { dtype: "bool", array: Uint8Array },
} as const;

const formatNames = Object.keys(formats) as readonly (keyof typeof formats)[];
const formatOf = (dtype: DType) => formatNames.find((name) => formats[name].dtype === dtype) as keyof typeof formats;

/** Length of what says how long the header is. */
const prefix = 8;
/** The format's own bound on the header. */
const longestHeader = 100_000_000;

/**
 * A file in the safetensors format: length of the header as u64, header in JSON, elements without gaps. Tensors are ordered by
 * the size of their elements and by name, so that all of them are aligned.
 *
 * @see  https://huggingface.co/docs/safetensors, format
 */
export function encodeSafetensors({ tensors, metadata }: SafetensorsFile): Uint8Array<ArrayBuffer> {
  const ordered = [...tensors].sort(
    ([a, x], [b, y]) =>
      formatNames.indexOf(formatOf(x.dtype)) - formatNames.indexOf(formatOf(y.dtype)) || (a < b ? -1 : 1),
  );
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [["__metadata__", metadata]] : [];
  let end = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    const begin = end;
    end += data.byteLength;
    entries.push([name, { dtype: formatOf(dtype), shape, data_offsets: [begin, end] }]);
  }
  // Written entry by entry: an object would put names that look like numbers first.
  const text = `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(",")}}`;
  const header = new TextEncoder().encode(text);
  const start = prefix + Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, prefix + header.length, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - prefix), true);
  bytes.set(header, prefix);
  let at = start;
  for (const [, { data }] of ordered) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** What a file holds, or BAD_DATA saying what is wrong with it. */
export function decodeSafetensors(subject: string, bytes: Uint8Array): SafetensorsFile {
  const fault = (expectation: string, found: string) =>
    codedError("BAD_DATA", `${subject}: expected ${expectation}, found ${found}`);
  const { buffer, byteOffset, length } = bytes;
  if (length < prefix) throw fault("a safetensors file of at least 8 bytes", `${length}`);
  const declared = new DataView(buffer, byteOffset, length).getBigUint64(0, true);
  if (declared > BigInt(longestHeader)) throw fault(`a header of at most ${longestHeader} bytes`, `${declared}`);
  const start = prefix + Number(declared);
  if (start > length) throw fault(`a header of ${declared} bytes`, `a file that ends after ${length - prefix} of them`);
  const header = parseHeader(bytes.subarray(prefix, start), fault);

  let metadata: Record<string, string> = {};
  const places: { name: string; entry: Entry }[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name !== "__metadata__") places.push({ name, entry: entryOf(name, value, fault) });
    else if (isRecord(value) && Object.values(value).every((text) => typeof text === "string")) {
      metadata = value as Record<string, string>;
    } else throw fault("__metadata__ to map names to text", JSON.stringify(value));
  }

  // Sorted by place, every tensor has to begin where the one before it ends.
  places.sort(({ entry: a }, { entry: b }) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  const tensors = new Map<string, StoredTensor>();
  for (const { name, entry } of places) {
    const { format, shape, begin, end } = entry;
    if (begin !== at) {
      throw fault(`${name} to begin at byte ${at} of the elements`, `${begin}, ${begin < at ? "an overlap" : "a gap"}`);
    }
    if (end > length - start) throw fault(`${name} to end within the ${length - start} bytes of elements`, `${end}`);
    at = end;
    const { dtype, array } = formats[format];
    const data = new array(bytes.slice(start + begin, start + end).buffer);
    const wrong = data.findIndex((element) => (dtype === "bool" ? element > 1 : !Number.isFinite(element)));
    if (wrong >= 0) {
      throw fault(
        `${name} to hold ${dtype === "bool" ? "0 and 1" : "finite numbers"}`,
        `${data[wrong]} at element ${wrong}`,
      );
    }
    tensors.set(name, { dtype, shape, data });
  }
  if (at !== length - start) throw fault(`${at} bytes of elements`, `${length - start}`);
  return { tensors, metadata };
}

type Fault = (expectation: string, found: string) => Error;

function parseHeader(bytes: Uint8Array, fault: Fault): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (cause) {
    throw fault("a header in JSON", (cause as Error).message);
  }
  if (!isRecord(header)) throw fault("a header that is an object", Array.isArray(header) ? "an array" : typeof header);
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw fault("every name once in the header", `${JSON.stringify(repeated)} twice`);
  return header;
}

interface Entry {
  readonly format: keyof typeof formats;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function entryOf(name: string, value: unknown, fault: Fault): Entry {
  if (!isRecord(value)) throw fault(`${name} to have dtype, shape and data_offsets`, JSON.stringify(value));
  const { dtype, shape, data_offsets: offsets, ...others } = value;
  const [other] = Object.keys(others);
  if (other !== undefined) throw fault(`${name} to have dtype, shape and data_offsets alone`, other);
  const format = formatNames.find((known) => known === dtype);
  if (format === undefined) throw fault(`the dtype of ${name} to be one of ${formatNames.join(", ")}`, String(dtype));
  if (!isExtents(shape)) throw fault(`the shape of ${name} to be whole numbers ≥ 0`, JSON.stringify(shape));
  if (!isExtents(offsets) || offsets.length !== 2)
    throw fault(`data_offsets of ${name} to be two whole numbers ≥ 0`, JSON.stringify(offsets));
  const [begin, end] = offsets as [number, number];
  const size = shape.reduce((product, extent) => product * extent, formats[format].array.BYTES_PER_ELEMENT);
  if (end - begin !== size) {
    throw fault(`${name} to have ${size} bytes for ${format} [${shape.join(", ")}]`, `${begin} to ${end}`);
  }
  return { format, shape, begin, end };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isExtents = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
