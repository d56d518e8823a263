import { expect } from "vitest";

/** Matches an error by its stable code and a part of its message. */
export const coded = (code: string, message: string | RegExp) =>
  expect.objectContaining({
    code,
    message: typeof message === "string" ? expect.stringContaining(message) : expect.stringMatching(message),
  });
