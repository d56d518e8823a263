import { codedError } from "@robgrad/tensor";
import { namedCells, renamed, type Saved } from "./named-cells.js";
import { encodeSafetensors } from "./safetensors.js";

/** How a file is written. */
export interface SaveOptions {
  /** Text to keep beside the tensors, by name. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Name in the file of what has a path here; the same unless given. */
  readonly rename?: (path: string) => string;
}

/**
 * A model, or whatever else has cells, as the bytes of a safetensors file: parameters under their paths, `0.W`, `0.b`, …
 *
 * All values are those at the call, whatever happens before the bytes are there. A record saves several things in one
 * file, under its names: `{ model, optimizer: optimizer.state(model), rng }` is all that training needs to go on bit by
 * bit where it stopped.
 *
 * @param saved    A link, a generator, a cell, the state of an optimizer, or a record of such.
 * @param options  `metadata`; `rename` for names that other software expects.
 * @returns        A Promise of the file, to be written wherever it should go.
 * @throws         Rejects with BAD_ARGUMENT for anything else and for a name used twice, with BAD_DATA where a value is not
 *                 finite or a kernel has found a fault.
 * @see            https://huggingface.co/docs/safetensors
 * @example        const file = await saveSafetensors(model, { metadata: { epoch: "12" } });
 */
export async function saveSafetensors(
  saved: Saved,
  { metadata = {}, rename = (path) => path }: SaveOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  for (const [name, text] of Object.entries(metadata)) {
    if (typeof text !== "string")
      throw codedError(
        "BAD_ARGUMENT",
        `saveSafetensors: expected metadata to be text, found ${typeof text} as ${name}`,
      );
  }
  const cells = renamed("saveSafetensors", namedCells("saveSafetensors", saved), rename);
  const tensors = await Promise.all(
    [...cells].map(async ([name, { dtype, shape, current }]) => {
      const data = await current.data();
      const wrong = data.findIndex((element) => !Number.isFinite(element));
      if (wrong >= 0) {
        throw codedError(
          "BAD_DATA",
          `saveSafetensors: expected ${name} to be finite, found ${data[wrong]} at element ${wrong}`,
        );
      }
      return [name, { dtype, shape, data }] as const;
    }),
  );
  return encodeSafetensors({ tensors: new Map(tensors), metadata });
}
