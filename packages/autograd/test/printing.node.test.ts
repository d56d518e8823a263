import { inspect } from "node:util";
import { openDevice } from "@robgrad/tensor";
import { expect, it } from "vitest";
import { Variable } from "../src/index.js";

it("a Variable tells Node's console what it tells a string", async () => {
  const device = await openDevice("cpu");
  const x = new Variable(device.ones([2]), { name: "x" });
  expect(inspect(x)).toBe(String(x));
  expect(inspect(x.neg())).toContain("made by neg");
  device.dispose();
});
