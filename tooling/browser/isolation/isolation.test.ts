import { expect, inject, it } from "vitest";

it("the page is cross-origin isolated where its project says so, and only there", () => {
  expect(crossOriginIsolated).toBe(inject("isolated"));
  expect(typeof SharedArrayBuffer !== "undefined").toBe(inject("isolated"));
});
