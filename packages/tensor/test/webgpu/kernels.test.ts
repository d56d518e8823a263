import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { capture, iterate, openDevice, tidy, type Tensor } from "@robgrad/tensor";
import { expectClose, memoryReturns } from "@robgrad/tensor/testing";
import { Device } from "../../src/device/device.js";
import { openAdapter } from "../../src/device/webgpu/adapter.js";
import { WebGpuExecutor } from "../../src/device/webgpu/device.js";
import { openWebGpu } from "./open-web-gpu.js";

const opened = await openWebGpu();

/** Shapes at which kernels are printed in another way than for small ones, on whole numbers: every order of addition is exact. */
describe.skipIf(opened === null)("webgpu kernels", () => {
  const device = opened as Device;
  let cpu: Device;
  beforeAll(async () => {
    cpu = await openDevice("cpu");
  });
  afterAll(() => {
    device.dispose();
    cpu.dispose();
  });
  memoryReturns(() => device);
  memoryReturns(() => cpu);

  const whole = (on: Device, shape: readonly number[], modulus = 17) =>
    on
      .arange(shape.reduce((a, b) => a * b, 1))
      .mul(7919 % (modulus * 64))
      .remainder(modulus)
      .sub(modulus >> 1)
      .reshape(shape);
  const same = async (f: (on: Device) => Tensor) => {
    const found = f(device);
    const expected = f(cpu);
    expect(found.shape).toEqual(expected.shape);
    expect(Array.from(await found.data())).toEqual(Array.from(await expected.data()));
  };

  it("multiply matrices in tiles, with ragged edges, transposed and batched", async () => {
    for (const [m, k, n] of [
      [64, 64, 64],
      [70, 33, 45],
      [129, 40, 66],
      [33, 70, 130],
    ] as const) {
      await same((on) => whole(on, [m, k]).matmul(whole(on, [k, n])));
      await same((on) =>
        whole(on, [k, m])
          .transpose()
          .matmul(whole(on, [n, k]).transpose()),
      );
    }
    await same((on) => whole(on, [3, 40, 35]).matmul(whole(on, [3, 35, 50])));
    await same((on) => whole(on, [3, 40, 35]).matmul(whole(on, [35, 50])));
  });

  it("share the depth of tall products", async () => {
    await same((on) => whole(on, [16, 3000]).matmul(whole(on, [3000, 20])));
    await same((on) => whole(on, [2, 5000]).matmul(whole(on, [5000, 3])));
    await same((on) => whole(on, [5000]).matmul(whole(on, [5000])));
  });

  it("use the large tiles of large products", async () => {
    // 8 × 8 an invocation from 128 tiles of 128 × 128 on; looked at are the last two, ragged ones on each side.
    const [a, b] = [whole(device, [1410, 20]), whole(device, [20, 1530])];
    const corner = [
      [1270, 1410],
      [1400, 1530],
    ] as const;
    const [c, d] = [whole(cpu, [1410, 20]).slice(corner[0]), whole(cpu, [20, 1530]).slice(null, corner[1])];
    await expectClose(a.matmul(b).slice(...corner), await c.matmul(d).toArray());
  });

  it("reduce many terms to few outputs, few terms to many, and along any axis", async () => {
    await same((on) => whole(on, [100_000]).sum());
    await same((on) => whole(on, [3, 50_000]).sum({ axis: 1 }));
    await same((on) => whole(on, [50_000, 3]).sum({ axis: 0 }));
    await same((on) => whole(on, [50_000, 3]).max({ axis: 1 }));
    await same((on) => whole(on, [3000, 70]).sum({ axis: 0 }));
    await same((on) => whole(on, [3000, 70]).argmin({ axis: 0 }));
    await same((on) => whole(on, [40, 5000]).max({ axis: 0 }));
    await same((on) => whole(on, [6, 700, 5]).min({ axis: [0, 2] }));
    await same((on) => whole(on, [3, 50_000]).argmax({ axis: 1 }));
    await same((on) => whole(on, [50_000]).cast("int32").sum());
    await same((on) => whole(on, [50_000]).greater(7).max());
    await same((on) => whole(on, [5000, 40]).sum({ axis: 1 }));
  });

  it("keep infinities and NaN in sums of many terms", async () => {
    const x = device.arange(60_000);
    await expectClose(x.map((u) => u.sub(70_000).mul(Infinity)).sum(), -Infinity);
    await expectClose(x.sub(30_000).mul(Infinity).sum(), NaN);
  });

  it("have more workgroups than fit one dimension", async () => {
    const count = 65536 * 64 + 100;
    const x = device.arange(count, { dtype: "int32" });
    await expectClose(x.slice([count - 2, count]), [count - 2, count - 1]);
    await expectClose(x.max(), count - 1);
  });

  it("take more operands than a shader may name buffers", async () => {
    const count = 40_000;
    const operands = Array.from({ length: 12 }, (_, k) => device.full([count], 2 ** k));
    const [first, ...rest] = operands as [Tensor, ...Tensor[]];
    const total = first.map((...all) => all.reduce((sum, u) => sum.add(u)), ...rest);
    await expectClose(total.slice([count - 1, count]), [4095]);
  });

  it("loop over bodies that one workgroup does not hold, and stop when the test says so", async () => {
    const size = 400_000;
    const grow = (on: Device, maximum: number, limit: number) =>
      iterate(on.zeros([size]), (x) => x.add(1), {
        maximum,
        until: (next) => next.max().greaterEqual(limit),
      }).sum();
    await same((on) => grow(on, 20, 5));
    await same((on) => grow(on, 4, 50));
    await same((on) =>
      iterate(
        on.zeros([size]),
        (x) => iterate(x, (y) => y.add(1), { maximum: 3, until: (y) => y.max().remainder(2).equal(0) }),
        {
          maximum: 4,
          until: (next) => next.max().greaterEqual(4),
        },
      ).sum(),
    );
  });

  it("replay captured steps of every form", async () => {
    const step = (on: Device) => {
      const w = on.cell(whole(on, [20, 30]));
      const f = capture((x: Tensor) => {
        const y = x.matmul(w.value).relu();
        w.assign(
          w.value.sub(
            x
              .transpose()
              .matmul(y)
              .mul(2 ** -12),
          ),
        );
        return { loss: y.sum(), most: y.argmax({ axis: 1 }) };
      });
      return { w, f };
    };
    const [a, b] = [step(device), step(cpu)];
    for (let t = 0; t < 4; t++) {
      const x = (on: Device) => whole(on, [8, 20]).mul(2 ** -t);
      const [found, expected] = [a.f(x(device)), b.f(x(cpu))];
      await expectClose(found.loss, await expected.loss.toArray(), { relative: 1e-5 });
      await expectClose(found.most, await expected.most.toArray());
    }
    await expectClose(a.w.value, await b.w.value.toArray(), { relative: 1e-4, absolute: 1e-3 });
    for (const { w, f } of [a, b]) {
      f.dispose();
      w.dispose();
    }
  });

  it("share a dispatch in recorded steps, with a loop among them, and give what they give alone", async () => {
    const f = (x: Tensor) => {
      // More than a chain holds, some that need what is written just before and some that overwrite it.
      let y = x;
      const parts: Tensor[] = [];
      for (let k = 0; k < 8; k++) {
        parts.push(
          y.sum(),
          y.sum({ axis: 0 }).argmin(),
          y.argmax({ axis: 1 }),
          y.max({ axis: 0 }),
          y.cumsum({ axis: 0 }),
        );
        y = y
          .add(y.sum({ axis: 1, keepdims: true }).remainder(5))
          .transpose()
          .reshape(y.shape);
      }
      const column = y.slice(null, [0, 1]).reshape([9]);
      const looped = iterate(
        [column, x.slice([0, 1]).reshape([11])],
        ([a, b]) => [
          (a as Tensor).add((b as Tensor).sum()).remainder(101),
          iterate(b as Tensor, (c) => c.add((a as Tensor).matmul(x)).remainder(13), { maximum: 3 }),
        ],
        { maximum: 9, until: ([a]) => (a as Tensor).max().greater(99) },
      );
      const dot = (looped[0] as Tensor).matmul(column);
      return { total: parts.map((part) => part.cast("float32").sum()), looped: [...looped], y, dot };
    };
    // An adapter in software is spared them.
    const card = new Device(new WebGpuExecutor({ ...(await openAdapter(true)), software: false }));
    const step = capture(f);
    for (let t = 0; t < 4; t++) {
      const found = step(whole(card, [9, 11], 17 + t));
      const expected = f(whole(cpu, [9, 11], 17 + t));
      for (const name of ["total", "looped"] as const) {
        const values = await Promise.all(found[name].map(async (one) => Array.from(await one.data())));
        const wanted = await Promise.all(expected[name].map(async (one) => Array.from(await one.data())));
        expect(values, `${name} of call ${t}`).toEqual(wanted);
      }
      expect(Array.from(await found.y.data())).toEqual(Array.from(await expected.y.data()));
      await expectClose(found.dot, await expected.dot.toArray());
    }
    step.dispose();
    card.dispose();
  }, 60_000);

  it("are printed once, and work wherever their operands are", async () => {
    const size = 40_000;
    // Small tensors share buffers, large ones have their own; an operand may come twice, and -0 is not 0.
    await same((on) => {
      const [a, b] = [whole(on, [50]), whole(on, [50], 5)];
      const [c, d] = [whole(on, [size]), whole(on, [size], 5)];
      const sums = [a.add(b), b.add(a), a.add(a), c.add(d), d.add(c), c.add(c)].map((x) => x.mul(3).sub(1));
      const [one, other] = [a.mul(0), a.mul(-0)].map((x) => x.reciprocal());
      const signs = [one, other].map((x) => (x as Tensor).maximum(-1).minimum(1));
      const tall = [c, d].map((x) => x.reshape([200, 200]).sum());
      return [...sums.map((x) => x.slice([10, 40])), ...signs.map((x) => x.slice([10, 40]))]
        .map((x, k) => x.mul(k + 1))
        .reduce((x, y) => x.add(y))
        .add(tall.reduce((x, y) => x.mul(2).sub(y)));
    });
  });

  it("leave memory as it was, however many steps there are", async () => {
    const w = device.cell(device.zeros([10]));
    const step = capture((x: Tensor) => w.assign(w.value.mul(0.5).add(x)));
    const one = device.ones([10]);
    step(one);
    step(one);
    step(one);
    const { live } = device.memory();
    for (let t = 0; t < 500; t++) step(one);
    for (let t = 0; t < 500; t++) tidy(() => w.assign(w.value.mul(0.5).add(one)));
    expect(device.memory().live).toBe(live);
    await expectClose(w.value, Array<number>(10).fill(2), { ulps: 2 });
    step.dispose();
    w.dispose();
  });
});
