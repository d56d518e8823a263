import { it } from "vitest";
import { missing } from "../source/chromium.js";

it.skipIf(process.env["CI"] !== "true")(`these tests run in Chromium: ${missing}`, () => {
  throw new Error(missing);
});
