/** Stand-in until @robgrad/tensor exports it. */
export function codedError(
  code: "SHAPE_MISMATCH" | "BAD_ARGUMENT" | "BAD_DATA",
  message: string,
): RangeError & { readonly code: string } {
  return Object.assign(new RangeError(message), { code });
}
