import { inject, it } from "vitest";

const missing = inject("missing");

it.skipIf(process.env["CI"] !== "true")(`these tests run in a browser: ${missing}`, () => {
  throw new Error(missing);
});
