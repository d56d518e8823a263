import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { capture, iterate, openDevice, type Device } from "@robgrad/tensor";
import { expectClose } from "@robgrad/tensor/testing";

let device: Device;
beforeAll(async () => {
  device = await openDevice("webgpu");
});
afterAll(() => device.dispose());
describe("smoke", () => {
  it("maps", async () => {
    const x = device.tensor([
      [1, 2],
      [3, 4],
    ]);
    await expectClose(x.add(x).mul(2), [
      [4, 8],
      [12, 16],
    ]);
    await expectClose(
      x.transpose().exp(),
      [
        [Math.E, Math.exp(3)],
        [Math.exp(2), Math.exp(4)],
      ],
      { ulps: 3 },
    );
    await expectClose(x.greater(2), [
      [0, 0],
      [1, 1],
    ]);
    await expectClose(x.sum({ axis: 0 }), [4, 6]);
    await expectClose(x.sum(), 10);
    await expectClose(x.argmax({ axis: 1 }), [1, 1]);
    await expectClose(x.matmul(x), [
      [7, 10],
      [15, 22],
    ]);
  });
  it("large", async () => {
    const n = 200000;
    const x = device.arange(n);
    expect(await x.div(n).sum().item()).toBeCloseTo((n - 1) / 2, 0);
    expect(await x.argmax().item()).toBe(n - 1);
    expect(await x.max().item()).toBe(n - 1);
    const a = device
      .arange(70 * 65)
      .reshape([70, 65])
      .remainder(7);
    const b = device
      .arange(65 * 90)
      .reshape([65, 90])
      .remainder(5);
    const cpu = await openDevice("cpu");
    const a2 = cpu
      .arange(70 * 65)
      .reshape([70, 65])
      .remainder(7);
    const b2 = cpu
      .arange(65 * 90)
      .reshape([65, 90])
      .remainder(5);
    expect(await a.matmul(b).toArray()).toEqual(await a2.matmul(b2).toArray());
    cpu.dispose();
  });
  it("iterates", async () => {
    const two = device.tensor([2]);
    const r = iterate(two, (x) => x.add(two.div(x)).mul(0.5), { maximum: 20, until: (a, b) => a.equal(b) });
    expect(await r.toArray()).toEqual([Math.fround(Math.SQRT2)]);
  });
  it("captures", async () => {
    const w = device.cell(device.zeros([3]));
    const step = capture((x) => {
      w.assign(w.value.add(x as never as typeof two));
      return w.value.sum();
    });
    const two = device.ones([3]);
    let last;
    for (let t = 0; t < 5; t++) last = step(two);
    expect(await last!.item()).toBe(15);
    step.dispose();
    w.dispose();
  });
});
