import { inspect } from "node:util";
import { expect, it } from "vitest";
import { openDevice } from "@robgrad/tensor";

it("a tensor tells Node's console what it tells a string", async () => {
  const device = await openDevice("cpu");
  const x = device.zeros([2, 3]);
  expect(inspect(x)).toBe("Tensor float32 [2, 3] on cpu (read it with await t.toArray(), t.data() or t.item())");
  device.dispose();
});
