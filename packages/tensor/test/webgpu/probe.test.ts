import { beforeAll, expect, it } from "vitest";
import {
  denseSamples,
  expanded,
  openDevice,
  outer,
  summed,
  where,
  type ColumnProgram,
  type Device,
  type SampleMatrix,
} from "@robgrad/tensor";
import { onGpu, openGpu, record, type Task } from "./harness.js";
import { columnStages, type ColumnLayout } from "../../src/device/webgpu/column.js";

let gpu: Awaited<ReturnType<typeof openGpu>>;
let cpu: Device;
let tasks: Task[];
beforeAll(async () => {
  gpu = await openGpu();
  cpu = await openDevice("cpu");
  tasks = record(cpu);
});
const programs: Record<string, ColumnProgram> = {
  mean: (c) => c.mean(),
  "mean of a formula": (c, a) => c.mean((g) => g.sub(a!).tanh()),
  moments: (c) => {
    const m = c.mean();
    return c
      .mean((g) => g.sub(m).square())
      .add(c.max())
      .sub(c.min((g) => g.mul(2)));
  },
  median: (c) => c.median(),
  quantile: (c) => c.quantile(0.3),
  extremes: (c) => c.quantile(1).sub(c.quantile(0)),
  trimmed: (c) =>
    c.length > 2
      ? c
          .sorted()
          .slice(1, c.length - 1)
          .mean()
      : c.sorted().max(),
  deviation: (c) => {
    const m = c.median();
    return c.map((g) => g.sub(m).abs()).median();
  },
  location: (c) => {
    const s = c.mean((g) => g.abs()).add(0.1);
    return c.iterate(c.median(), (t) => t.add(c.mean((g) => g.sub(t).div(s).clamp(-1, 1)).mul(s)), {
      maximum: 40,
      tolerance: s.mul(1e-4),
    });
  },
  nested: (c) =>
    c.length > 4
      ? c
          .sorted()
          .slice(1, c.length - 1)
          .map((u) => u.abs())
          .sorted()
          .slice(1, c.length - 2)
          .sum()
      : c.sum(),
  choice: (c, a) =>
    where(
      a!.greater(0),
      c.sum(),
      c.mean((g) => where(g.greater(a!), 1, 0)),
    ),
};
const layouts: (ColumnLayout | undefined)[] = [
  undefined,
  { kind: "teams", columns: 8, stored: true },
  { kind: "teams", columns: 16, stored: false },
  { kind: "teams", columns: 128, stored: false },
  { kind: "squares", side: 2 },
];
for (const kind of ["dense", "outer", "expanded", "summed", "mixed", "irregular"])
  for (const layout of layouts)
    it(`${kind} ${JSON.stringify(layout)}`, async () => {
      if (layout?.kind === "squares" && kind !== "outer" && kind !== "expanded") return;
      for (const [name, program] of Object.entries(programs)) {
        const [n, t, q, p] = [23, 2, 5, 37];
        const g = cpu.rng(3);
        const draw = (...shape: number[]) => g.normal(shape, { dtype: "float64" }).cast("float32").cast("float64");
        const make = (): SampleMatrix => {
          const one = outer(draw(n, q), draw(n, p));
          switch (kind) {
            case "dense":
              return denseSamples(draw(n, q, p));
            case "outer":
              return one;
            case "expanded":
              return expanded(draw(n, t, q), draw(n, t, p));
            case "summed":
              return summed([one, denseSamples(draw(n, q, p))]);
            case "mixed":
              return one.mix(where(draw(3, n).greater(0.5), draw(3, n), 0));
            default:
              return summed([one, outer(draw(n, p), draw(n, q), { shape: [q, p] })]);
          }
        };
        const matrix = make();
        tasks.length = 0;
        matrix.columns(program, draw(matrix.features));
        const task = tasks.find((one) => one.kernel.form === "column")!;
        const [found] = await onGpu(gpu.device, task, (k, c) =>
          k.form === "column" ? columnStages(k, c, layout) : [],
        );
        const wanted = task.expected[0]!;
        let worst = 0;
        found!.forEach((v, i) => {
          if (!Object.is(v, wanted[i]))
            worst = Math.max(worst, Math.abs(v - wanted[i]!) / Math.max(1, Math.abs(wanted[i]!)));
          if (Number.isNaN(v) !== Number.isNaN(wanted[i]!)) worst = Infinity;
        });
        expect(worst, name).toBeLessThan(3e-5);
      }
    }, 60000);
