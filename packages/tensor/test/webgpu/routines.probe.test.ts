import { beforeAll, expect, it } from "vitest";
import { openDevice, generator, gather, scatterAdd, eigh, takeAlongAxis, read, type Device } from "@robgrad/tensor";
import { onGpu, openGpu, record, type Task } from "./harness.js";
import { routineStages } from "../../src/device/webgpu/routines.js";

let gpu: Awaited<ReturnType<typeof openGpu>>;
let cpu: Device;
let tasks: Task[];
beforeAll(async () => {
  gpu = await openGpu();
  cpu = await openDevice("cpu");
  tasks = record(cpu);
});
async function compare(tolerance: number) {
  let count = 0;
  for (const task of tasks.splice(0)) {
    const k = task.kernel;
    if (k.form !== "routine") continue;
    for (const lanes of [undefined, 32]) {
      const found = await onGpu(
        gpu.device,
        task,
        (kernel, c) => (kernel.form === "routine" ? routineStages(kernel, c) : []),
        lanes,
      );
      found.forEach((f, o) =>
        f.forEach((v, i) => {
          const wanted = task.expected[o]![i]!;
          if (Object.is(v, wanted)) return;
          expect(
            Math.abs(v - wanted) / Math.max(1, Math.abs(wanted)),
            `${k.name} ${lanes} ${o} ${i}: ${v} ${wanted}`,
          ).toBeLessThanOrEqual(tolerance);
        }),
      );
    }
    count++;
  }
  return count;
}
it("argsort", async () => {
  const g = generator(1);
  for (const [shape, axis] of [
    [[7], 0],
    [[3, 300, 2], 1],
    [[1100], 0],
    [[5, 4], 0],
    [[513, 3], 0],
  ] as const) {
    const n = (shape as readonly number[]).reduce((a, b) => a * b, 1);
    const vals = Float64Array.from(g.normal([n]).values, (v, i) =>
      i % 7 === 0 ? NaN : i % 11 === 0 ? -0 : i % 13 === 0 ? Infinity : i % 3 ? Math.fround(v) : Math.round(v),
    );
    const x = cpu.tensor(vals, { shape: [...shape], allowNonFinite: true });
    x.sort({ axis });
    x.topk(2, { axis });
    const z = cpu.tensor(
      Int32Array.from(vals, (v) => Math.round(v * 2)),
      { shape: [...shape] },
    );
    z.sort({ axis });
    z.cast("uint32").sort({ axis });
    z.greater(0).argsort({ axis });
  }
  expect(await compare(0)).toBeGreaterThan(9);
}, 60000);
it("cumsum", async () => {
  const g = generator(1);
  for (const [shape, axis] of [
    [[7], 0],
    [[3, 300, 2], 1],
    [[1100], 0],
    [[5, 4], 0],
    [[513, 3], 0],
  ] as const) {
    const n = (shape as readonly number[]).reduce((a, b) => a * b, 1);
    const x = cpu.tensor(g.normal([n]).values.map(Math.fround), { shape: [...shape] });
    x.cumsum({ axis });
    x.mul(1e9).cast("int32").cumsum({ axis });
  }
  expect(await compare(1e-5)).toBe(10);
}, 60000);
it("gather and scatterAdd", async () => {
  const g = generator(1);
  const x = cpu.tensor(g.normal([9, 8, 3]).values.map(Math.fround), { shape: [9, 8, 3] });
  const idx = cpu.tensor(
    [
      [0, 5, 7],
      [5, 5, 1],
    ],
    { dtype: "int32" },
  );
  gather(x, idx, { axis: 1 }).transpose();
  gather(x.transpose(), cpu.tensor([8, 2, 2, 12], { dtype: "int32" }), { axis: 2 });
  for (const n of [5, 400]) {
    const i = cpu.tensor(
      Int32Array.from({ length: n }, (_, k) => ((k * k * 7) % 13) - (k % 29 === 0 ? 3 : 0)),
      { dtype: "int32", shape: [n] },
    );
    const u = cpu.tensor(g.normal([n, 3]).values.map(Math.fround), { shape: [n, 3] });
    scatterAdd(i, u, { size: 11 });
    scatterAdd(i.cast("uint32"), u, { size: 11 });
    scatterAdd(i, u.transpose(), { size: 11, axis: 1 });
    scatterAdd(
      i
        .reshape([n, 1])
        .broadcastTo([n, 3])
        .add(cpu.tensor([0, 1, 2], { dtype: "int32" })),
      u,
      { size: 13, mode: "elements" },
    );
  }
  expect(await compare(1e-5)).toBe(20);
}, 60000);
it("randomBits", async () => {
  for (const seed of [0, 1, 2 ** 40 + 17]) {
    const r = cpu.rng(seed);
    r.uniform([130]);
    r.normal([7, 3]);
    r.permutation(9);
  }
  expect(await compare(0)).toBeGreaterThan(8);
}, 60000);
it("eigh", async () => {
  const g = generator(5);
  for (const n of [1, 2, 3, 7, 16, 33]) {
    const a = cpu.tensor(g.normal([n, n]).values.map(Math.fround), { shape: [n, n] });
    eigh(a.add(a.transpose()));
    for (const s of [1e-30, 1e30]) eigh(a.add(a.transpose()).mul(s));
    eigh(cpu.eye(n));
    const b = cpu.tensor(g.normal([n, 2]).values.map(Math.fround), { shape: [n, 2] });
    void b;
  }
  eigh(
    cpu.tensor(
      [
        [1, NaN],
        [NaN, 1],
      ],
      { allowNonFinite: true },
    ),
  );
  console.log(await compare(3e-5));
}, 60000);
it("append and check", async () => {
  const h = cpu.history(3, { shape: [2] });
  for (let t = 0; t < 3; t++) h.record(cpu.tensor([t, 10 * t]));
  const e = cpu.history(3);
  e.record(cpu.tensor(4));
  gather(cpu.ones([3]), cpu.tensor([0, 4], { dtype: "int32" }));
  gather(cpu.ones([3]), cpu.tensor([5, 4], { dtype: "int32" }));
  expect(await compare(0)).toBe(8);
}, 60000);
