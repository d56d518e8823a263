import { codedError, type Tensor } from "@robgrad/tensor";
import { formatShape, sameShape } from "@robgrad/tensor/kernels";
import { namedCells, renamed, type Saved } from "./named-cells.js";
import { decodeSafetensors } from "./safetensors.js";

/** How a file is read. */
export interface LoadOptions {
  /** Name in the file of what has a path here; the same unless given. */
  readonly rename?: (path: string) => string;
  /** Whether the file may hold more than is asked for; false unless given. */
  readonly allowOthers?: boolean;
}

/**
 * Gives a model, or whatever else was saved, the values of a safetensors file.
 *
 * Everything is checked before anything is assigned: a file that is refused changes nothing. Captured steps see the new
 * values. Of a generator, its draws go on where they stopped; generators that are split off it later are not in the file.
 *
 * @param target   As for `saveSafetensors`: what is to get values, of the shapes and dtypes of the file.
 * @param bytes    The file.
 * @param options  `rename` for files of other software; `allowOthers` to take a part of a file.
 * @returns        The metadata.
 * @throws         BAD_DATA for what is no safetensors file — truncated, overlapping or with gaps, sizes that contradict shapes,
 *                 names that repeat, dtypes other than F32, F64, I32, U32 and BOOL, values that are not finite — and for
 *                 missing or further names; SHAPE_MISMATCH, DTYPE_MISMATCH; BAD_ARGUMENT inside a captured step.
 * @see            https://huggingface.co/docs/safetensors
 * @example
 * const file = await saveSafetensors(model);
 * loadSafetensors(model, file);
 */
export function loadSafetensors(
  target: Saved,
  bytes: Uint8Array,
  { rename = (path) => path, allowOthers = false }: LoadOptions = {},
): Readonly<Record<string, string>> {
  if (Object.prototype.toString.call(bytes) !== "[object Uint8Array]") {
    throw codedError(
      "BAD_ARGUMENT",
      `loadSafetensors: expected the bytes of a file, a Uint8Array, found ${typeof bytes}`,
    );
  }
  const cells = renamed("loadSafetensors", namedCells("loadSafetensors", target), rename);
  const { tensors, metadata } = decodeSafetensors("loadSafetensors", bytes);
  const missing = [...cells.keys()].filter((name) => !tensors.has(name));
  const others = allowOthers ? [] : [...tensors.keys()].filter((name) => !cells.has(name));
  if (missing.length + others.length > 0) {
    const list = (names: readonly string[]) => (names.length > 0 ? names.join(", ") : "nothing");
    throw codedError(
      "BAD_DATA",
      `loadSafetensors: expected the names of the target in the file, found ${list(missing)} missing and ${list(others)} besides`,
    );
  }
  for (const [name, { shape, dtype, device }] of cells) {
    device.refuseInsideStep("loadSafetensors: expected to be called between steps, found a step that is recorded");
    const stored = tensors.get(name);
    if (stored?.dtype !== dtype)
      throw codedError("DTYPE_MISMATCH", `loadSafetensors: expected ${name} to be ${dtype}, found ${stored?.dtype}`);
    if (!sameShape(stored.shape, shape)) {
      throw codedError(
        "SHAPE_MISMATCH",
        `loadSafetensors: expected ${name} to have shape ${formatShape(shape)}, found ${formatShape(stored.shape)}`,
      );
    }
  }
  const values: Tensor[] = [];
  try {
    // There has to be memory for all of them, too.
    for (const [name, { device, shape, dtype }] of cells) {
      values.push(device.tensor((tensors.get(name) as { readonly data: Float32Array }).data, { shape, dtype }));
    }
    [...cells.values()].forEach((cell, k) => cell.assign(values[k] as Tensor));
  } finally {
    for (const value of values) value.dispose();
  }
  return metadata;
}
