/** Stable identifiers of everything robgrad throws or rejects with. */
export type ErrorCode =
  | "SHAPE_MISMATCH"
  | "DTYPE_MISMATCH"
  | "DEVICE_MISMATCH"
  | "DEVICE_UNAVAILABLE"
  | "DEVICE_LOST"
  | "DISPOSED"
  | "STALE_VALUE"
  | "NOT_REPLAYABLE"
  | "SAMPLES_MIXED"
  | "BAD_ARGUMENT"
  | "BAD_DATA"
  | "BAD_PLUGIN"
  | "MEMORY_LIMIT"
  | "IO_FAILED"
  | "WORKER_LOST";

/** An error of robgrad: a built-in error with a stable `code`. */
export type CodedError = Error & { readonly code: ErrorCode };

const typeErrors: ReadonlySet<ErrorCode> = new Set(["DTYPE_MISMATCH", "BAD_PLUGIN"]);
const rangeErrors: ReadonlySet<ErrorCode> = new Set(["SHAPE_MISMATCH", "BAD_ARGUMENT", "BAD_DATA", "MEMORY_LIMIT"]);

/**
 * Makes an error that carries a stable code; packages and plugins throw the result.
 *
 * @param code     One of {@link ErrorCode}; it decides between RangeError, TypeError and Error.
 * @param message  Subject, relation expected, values found.
 * @returns        The error, to be thrown by the caller.
 * @example        codedError("BAD_ARGUMENT", "krum: expected byzantine ≥ 0, found -1").code
 */
export function codedError(code: ErrorCode, message: string, options?: ErrorOptions): CodedError {
  const Kind = typeErrors.has(code) ? TypeError : rangeErrors.has(code) ? RangeError : Error;
  return Object.assign(new Kind(message, options), { code });
}

/**
 * Tells whether a caught value is an error with the given code.
 *
 * @returns  True for an Error whose `code` equals `code`; with no `code`, for any coded error.
 * @example  hasCode(codedError("DISPOSED", "a tensor"), "DISPOSED")
 */
export function hasCode(error: unknown, code?: ErrorCode): error is CodedError {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return false;
  return code === undefined || error.code === code;
}
