import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type * as robgrad from "@robgrad/tensor";
import { coded } from "../coded.js";

type Robgrad = typeof robgrad;

/** The library as it is before any part has been loaded. */
async function fresh(): Promise<Robgrad> {
  vi.resetModules();
  return import("@robgrad/tensor");
}

const float64 = { dtype: "float64" } as const;

describe("work on wasm that needs a part which is on its way", () => {
  let lib: Robgrad;
  let device: robgrad.Device;
  beforeEach(async () => {
    lib = await fresh();
    device = await lib.openDevice("wasm");
  });
  afterEach(() => {
    device.dispose();
    vi.doUnmock("../../src/device/wasm/math.js");
  });

  it("sees the memory of the moment it was called", async () => {
    const x = device.tensor([0, 1, 2], float64);
    const y = x.exp();
    const doubled = x.mul(2);
    x.dispose();
    const next = device.tensor([7, 8, 9], float64);
    const sum = next.add(y);
    next.dispose();
    const last = device.zeros([3], float64);
    expect([...(await doubled.data())]).toEqual([0, 2, 4]);
    const found = [...(await y.data())];
    found.forEach((value, k) => expect(value).toBeCloseTo(Math.exp(k), 14));
    expect([...(await sum.data())]).toEqual(found.map((value, k) => 7 + k + value));
    expect([...(await last.data())]).toEqual([0, 0, 0]);
  });

  it("takes no memory of its own that work behind it still reads", async () => {
    // The working memory of this product and x are blocks of one size.
    const a = device.ones([64, 64]);
    const x = device.full([8196], 3);
    const product = a.matmul(a);
    const y = x.add(1);
    x.dispose();
    expect(new Set(await y.data())).toEqual(new Set([4]));
    expect(new Set(await product.data())).toEqual(new Set([64]));
  });

  it("copies what is written meanwhile, and a read is a snapshot", async () => {
    const cell = device.cell(device.tensor([1, 2], float64));
    cell.assign(cell.value.exp());
    const first = cell.value.data();
    const host = new Float64Array([5, 6]);
    const written = device.tensor(host);
    host.fill(0);
    cell.assign(written);
    const second = cell.value.data();
    cell.assign(cell.value.add(1));
    expect([...(await second)]).toEqual([5, 6]);
    expect([...(await first)][0]).toBeCloseTo(Math.E, 14);
    expect([...(await cell.value.data())]).toEqual([6, 7]);
  });

  it("iterates", async () => {
    // x = e⁻ˣ
    const x = lib.iterate(device.tensor(1, float64), (u: robgrad.Tensor) => u.neg().exp(), { maximum: 60 });
    expect(await x.item()).toBeCloseTo(0.5671432904097838, 12);
  });

  it("is captured, with the bits of a step whose parts are there", async () => {
    const makeStep = () => {
      const w = device.cell(device.tensor([0.5, -1, 2], float64));
      const step = lib.capture((x: robgrad.Tensor) => {
        const y = w.value.mul(x).sinh();
        w.assign(w.value.sub(y.mul(0.01)));
        return y.cumsum({ axis: 0 }).median();
      });
      return { w, step };
    };
    const run = ({ w, step }: ReturnType<typeof makeStep>) => {
      const losses = [];
      for (let t = 0; t < 6; t++) losses.push(step(device.tensor([1, t, 0.3], float64)).item());
      return Promise.all([...losses, w.value.toArray()]);
    };
    const late = await run(makeStep());
    expect(await run(makeStep())).toEqual(late);
    expect(new Set(late.slice(0, 6)).size).toBe(6);
  });

  it("is left out when the part is lost: reads behind it reject, the device goes on", async () => {
    vi.doMock("../../src/device/wasm/math.js", () => {
      throw new Error("no network");
    });
    const x = device.tensor([1, 2], float64);
    const y = x.exp();
    const behind = x.add(1);
    await expect(behind.data()).rejects.toEqual(coded("IO_FAILED", "mathematical functions"));
    expect([...(await x.add(2).data())]).toEqual([3, 4]);
    y.dispose();
    vi.doUnmock("../../src/device/wasm/math.js");
    expect([...(await x.exp().log().data())][1]).toBeCloseTo(2, 14);
  });

  it("is finished when the device is disposed meanwhile", async () => {
    const y = device.tensor([0, 0], float64).exp();
    const pending = y.data();
    device.dispose();
    expect([...(await pending)]).toEqual([1, 1]);
    expect(() => y.add(1)).toThrow(coded("DISPOSED"));
  });

  it("counts memory at the call", async () => {
    const x = device.tensor([0, 1], float64);
    const { live } = device.memory();
    const y = x.exp();
    expect(device.memory().live).toBe(live + 16);
    y.dispose();
    expect(device.memory().live).toBe(live);
    expect([...(await x.exp().data())][0]).toBe(1);
  });
});
