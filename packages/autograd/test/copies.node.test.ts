import { expect, it, describe, vi } from "vitest";
import { openDevice } from "@robgrad/tensor";
import type * as autograd from "../src/index.js";
import { linear, noGrad, sampleGradients, Variable } from "../src/index.js";

/** The package a second time, as when two dependencies bring their own. */
async function secondCopy(): Promise<typeof autograd> {
  vi.resetModules();
  return import("../src/index.js");
}

describe("two copies of the package", () => {
  it("share graphs, gradients and noGrad", async () => {
    const device = await openDevice("cpu");
    const other = await secondCopy();
    expect(other.Variable).not.toBe(Variable);

    const W = new Variable(device.tensor([[1, 2]]));
    const b = new other.Variable(device.tensor([3]));
    expect(Variable.is(b)).toBe(true);
    const x = device.tensor([
      [1, 1],
      [2, 0],
    ]);
    const losses = other
      .linear(x, W as never, b)
      .square()
      .sum({ axis: 1 }) as unknown as Variable;
    losses.sum().backward();
    expect(await W.grad?.toArray()).toEqual([[2 * 6 + 2 * 5 * 2, 2 * 6]]);
    expect(await b.grad?.toArray()).toEqual([2 * 6 + 2 * 5]);
    expect(await sampleGradients(losses, [W]).get(W)?.rows().toArray()).toEqual([
      [12, 12],
      [20, 0],
    ]);

    expect(other.noGrad(() => linear(x, W)).requiresGrad).toBe(false);
    expect(noGrad(() => other.linear(x, W as never)).requiresGrad).toBe(false);
    device.dispose();
  });
});
