import { codedError } from "@robgrad/tensor";

/** Refuses an extent of a layer that is not a whole number ≥ 1. */
export function checkExtent(subject: string, name: string, extent: number): void {
  if (!Number.isInteger(extent) || extent < 1)
    throw codedError("BAD_ARGUMENT", `${subject}: expected ${name} to be a whole number ≥ 1, found ${extent}`);
}
