import { beforeAll, expect, it } from "vitest";
import { generator, openDevice, outer, where, type ColumnProgram, type Device } from "@robgrad/tensor";
import { onGpu, openGpu, record, type Task } from "./harness.js";
import { columnStages } from "../../src/device/webgpu/column.js";

let gpu: Awaited<ReturnType<typeof openGpu>>;
let cpu: Device;
let tasks: Task[];
beforeAll(async () => {
  gpu = await openGpu();
  cpu = await openDevice("cpu");
  tasks = record(cpu);
});
  const [N, Q, P] = [100, 12, 70];
  const soft: ColumnProgram = (c) => {
    const m = c.mean();
    const s = c
      .mean((g) => g.sub(m).square())
      .sqrt()
      .mul(3);
    const per = where(s.greater(0), s.reciprocal(), 0);
    return m.add(
      s.mul(
        c.mean((g) => {
          const z = g.sub(m).mul(per).clamp(-Math.SQRT2, Math.SQRT2);
          return z.sub(z.mul(z).mul(z).div(6));
        }),
      ),
    );
  };
  const spread: ColumnProgram = (c) => {
    const m = c.mean();
    return c.mean((g) => g.sub(m).square()).sqrt();
  };
  const huber: ColumnProgram = (c) => {
    const s = c.mean((g) => g.square()).sqrt().add(1e-30);
    return c.iterate(c.mean(), (t) => t.add(c.mean((g) => g.sub(t).div(s).clamp(-3, 3)).mul(s)), { maximum: 6, tolerance: s.mul(1e-6) });
  };
  const inputs: Record<string, (g: number, n: number, k: number) => readonly [number, number]> = {
    "normal factors": (g) => [g, g],
    "two hostile samples": (g, n) => (n < 2 ? [1e4 * g, 1e4 * g] : [g, g]),
    "a large common part": (g) => [g + 1000, g + 1000],
    "sparse outputs and constant-zero inputs": (g, n, k) => [g > 0 ? g : 0, k % 3 === 0 ? 0 : (n * k) % 7],
    "heavy tails": (g) => [g ** 7, g ** 5],
    "tiny numbers": (g) => [1e-15 * g, g],
    "huge numbers": (g) => [1e15 * g, g],
    "a dead unit": (g, _, k) => [k === 3 ? 0 : g, g],
    "not finite": (g, n, k) => [k === 3 && n === 5 ? Infinity : g, k === 7 && n === 6 ? NaN : g],
  };
for (const group of [2, 4] as const) for (const name of Object.keys(inputs)) for (const [label, program] of Object.entries({ soft, huber })) it(`${group} ${label} ${name}`, async () => {
    const draw = inputs[name]!;
    const host = generator(8);
    const values = (columns: number, which: 0 | 1) =>
      host.normal([N, columns]).values.map((g, i) => Math.fround(draw(g, Math.floor(i / columns), i % columns)[which]));
    const [delta, x] = [values(Q, 0), values(P, 1)];
    const matrix = outer(cpu.tensor(delta, { shape: [N, Q], allowNonFinite: true, dtype: "float64" }), cpu.tensor(x, { shape: [N, P], allowNonFinite: true, dtype: "float64" }));
    tasks.length = 0;
    matrix.columns(program);
    const task = tasks.find((t) => t.kernel.form === "column")!;
    const [a] = await onGpu(gpu.device, task, (k, c) => (k.form === "column" ? columnStages(k, c, { kind: "moments", group }) : []));
    const [st] = await onGpu(gpu.device, task, (k, c) => (k.form === "column" ? columnStages(k, c, { kind: "squares", side: 2 }) : []));
    const [b, s, m] = [task.expected[0]!, await matrix.columns(spread).data(), await matrix.mean().data()];
    let worst = 0, worstS = 0;
    a!.forEach((value, d) => {
      if (Object.is(value, b[d])) return;
      const bound = ((1e-4 * s[d]!) / Math.sqrt(N)) + 1e-6 * Math.abs(m[d]!);
      worst = Math.max(worst, Math.abs(value - b[d]!) / bound);
      worstS = Math.max(worstS, Math.abs(st![d]! - b[d]!) / bound);
      if (Number.isNaN(value) !== Number.isNaN(b[d]!)) worst = Infinity;
    });
    console.log(label, name, worst.toFixed(3), worstS.toFixed(3));
    expect(worst).toBeLessThan(1);
  }, 60000);
