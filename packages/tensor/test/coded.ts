import { expect } from "vitest";
import type { ErrorCode } from "@robgrad/tensor";

/** Matches an error of robgrad by its code and, where given, parts of its message. */
export function coded(code: ErrorCode, message: string | RegExp = ""): Error {
  const text = message instanceof RegExp ? expect.stringMatching(message) : expect.stringContaining(message);
  return expect.objectContaining({ code, message: text }) as Error;
}
