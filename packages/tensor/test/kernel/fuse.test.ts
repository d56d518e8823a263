import fc from "fast-check";
import { openDevice, outer, denseSamples, capture, where, type Device, type Tensor } from "@robgrad/tensor";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StepLog } from "../../src/capture/log.js";
import { arrange } from "../../src/kernel/arrange.js";
import { fuse } from "../../src/kernel/fuse.js";
import { convolve } from "../../src/ops/convolution.js";
import type { Kernel } from "../../src/kernel/kernel.js";
import type { Storage } from "../../src/storage.js";

let device: Device;

beforeEach(async () => {
  device = await openDevice("wasm");
});
afterEach(() => device.dispose());

/** The kernels of a step as they are recorded, and what they become. */
function recorded(step: (...args: readonly Tensor[]) => Tensor, ...args: readonly Tensor[]) {
  const log = new StepLog(device, new Map());
  for (const arg of args) log.argument(arg.storage);
  let result: Tensor | undefined;
  device.observe(log, () => (result = step(...args)));
  const results = new Set([log.slotOf((result as Tensor).storage).place]);
  const before = log.kernels.map(({ kernel }) => kernel);
  const temporary = (place: Storage) => log.at(place).kind === "temporary";
  const free = (place: Storage) => !results.has(place) && (temporary(place) || log.at(place).kind === "argument");
  const after = fuse(before, temporary, results);
  return {
    before,
    after,
    arranged: arrange(after, free),
    place: (k: number) => log.slotOf((args[k] as Tensor).storage).place,
  };
}

const forms = (kernels: readonly Kernel[]) => kernels.map(({ form }) => form);

describe("fuse", () => {
  it("makes a layer one product", () => {
    const { before, after } = recorded(
      (x, W, b) => x.matmul(W.transpose()).add(b).relu(),
      device.ones([20, 3]),
      device.ones([4, 3]),
      device.ones([4]),
    );
    expect(forms(before)).toEqual(["contract", "map", "map"]);
    expect(forms(after)).toEqual(["contract"]);
  });

  it("computes maps where they are read, and what is computed twice once", () => {
    const { before, after } = recorded(
      (x) =>
        x
          .sub(x.max({ axis: 1, keepdims: true }))
          .exp()
          .sum({ axis: 1 })
          .add(x.max({ axis: 1 }).mul(2)),
      device.ones([5, 3]),
    );
    expect(forms(before)).toEqual(["reduce", "map", "map", "reduce", "reduce", "map", "map"]);
    expect(forms(after)).toEqual(["reduce", "reduce", "map"]);
  });

  it("keeps a map whose elements are all met by all others", () => {
    const { after } = recorded((x) => denseSamples(x.mul(2)).squaredDistances(), device.ones([5, 3]));
    expect(forms(after)).toEqual(["map", "reduce"]);
  });

  it("makes copies of a convolution's windows again rather than keeping them", () => {
    const windows = { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], groups: 1 };
    const { before, after } = recorded(
      (x, v, w) =>
        convolve(x, v, windows)
          .sin()
          .add(convolve(x, w, windows)),
      device.ones([2, 3, 6, 6]),
      device.ones([4, 3, 3, 3]),
      device.ones([4, 3, 3, 3]),
    );
    const copies = (kernels: readonly Kernel[]) => kernels.filter((k) => k.form === "map" && k.f.kind === "input");
    expect([copies(before).length, copies(after).length]).toEqual([2, 2]);
  });

  it("leaves a map that several kernels read where computing it again would cost more than reading it", () => {
    const { after } = recorded(
      (x) => {
        const y = x.exp();
        return y.sum({ axis: 0 }).add(y.max({ axis: 0 }));
      },
      device.ones([5, 3]),
    );
    expect(forms(after)).toEqual(["map", "reduce", "reduce", "map"]);
  });

  it("does not move a read of a cell past its assignment", async () => {
    const w = device.cell(device.tensor([1, 2]));
    const step = capture((x: Tensor) => {
      const before = w.value.mul(10);
      w.assign(w.value.add(x));
      return before.add(w.value);
    });
    for (let t = 0; t < 5; t++) {
      expect(await step(device.ones([2])).toArray()).toEqual([10 * (1 + t) + 2 + t, 10 * (2 + t) + 3 + t]);
    }
  });

  it("does not let a kernel read in another order what it writes", async () => {
    const w = device.cell(
      device.tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    const step = capture(() => {
      w.assign(w.value.transpose().add(1));
      return w.value.add(0);
    });
    let host = [
      [1, 2],
      [3, 4],
    ] as [[number, number], [number, number]];
    for (let t = 0; t < 6; t++) {
      host = [
        [host[0][0] + 1, host[1][0] + 1],
        [host[0][1] + 1, host[1][1] + 1],
      ];
      expect(await step().toArray()).toEqual(host);
    }
  });

  it("does not mix dtypes that a conversion keeps apart", async () => {
    const step = capture((x: Tensor) => x.cast("int32").cast("float32").mul(0.5));
    for (let t = 0; t < 4; t++) expect(await step(device.tensor([2.9, -2.9])).toArray()).toEqual([1, -1]);
    const wide = capture((x: Tensor) =>
      x
        .cast("float64")
        .mul(1 + 2 ** -40)
        .cast("float32")
        .sub(1)
        .mul(2 ** 30),
    );
    for (let t = 0; t < 4; t++) expect(await wide(device.ones([3])).toArray()).toEqual([0, 0, 0]);
  });
});

describe("arrange", () => {
  it("stores activations column by column, but neither results nor what only a rule reads", () => {
    const { arranged, place } = recorded(
      (x, W, V) => x.matmul(W).tanh().matmul(V),
      device.ones([40, 2]),
      device.ones([2, 10]),
      device.ones([10, 3]),
    );
    const [first, second] = arranged.kernels;
    expect(first?.form === "contract" && first.out.strides).toEqual([0, 1, 40]);
    expect(second?.form === "contract" && [second.a.strides, second.out.strides]).toEqual([
      [0, 1, 40],
      [120, 3, 1],
    ]);
    expect(arranged.layoutOf(place(0), { shape: [40, 2], strides: [2, 1], offset: 0 }).strides).toEqual([1, 40]);
    expect(arranged.layoutOf(place(1), { shape: [2, 10], strides: [10, 1], offset: 0 }).strides).toEqual([10, 1]);
  });
});

/** Steps of random operations, the same for every device. */
type Operation = (live: Tensor[], x: Tensor, W: Tensor) => Tensor;
const pick = (live: Tensor[], k: number) => live[k % live.length] as Tensor;
const unary: readonly ((u: Tensor) => Tensor)[] = [
  (u) => u.tanh(),
  (u) => u.mul(0.5).add(0.25),
  (u) => u.relu(),
  (u) => u.abs().add(1).log(),
  (u) => where(u.greater(0.1), u, u.mul(0.5)),
  (u) => u.sub(u.max({ axis: 1, keepdims: true })),
  (u) => u.div(u.square().sum({ axis: 1, keepdims: true }).add(1).sqrt()),
  (u) => u.sub(u.mean({ axis: 0, keepdims: true })),
  (u) => u.mul(0.5).slice([0, 24], [0, 4]).reshape([96]).reshape([24, 4]),
];
const operation = fc.tuple(fc.nat(11), fc.nat(7), fc.nat(7)).map(([kind, i, j]): Operation => {
  if (kind === 9) return (live, _, W) => pick(live, i).matmul(W).mul(0.3);
  if (kind === 10) return (live) => pick(live, i).add(pick(live, j));
  if (kind === 11)
    return (live) =>
      pick(live, i).mul(pick(live, j).matmul(pick(live, i).transpose()).mean({ axis: 1, keepdims: true }).tanh());
  return (live) => (unary[kind] as (u: Tensor) => Tensor)(pick(live, i));
});

describe("a recorded step", () => {
  it("gives what it gives unrecorded, whatever is fused and laid out anew", async () => {
    const cpu = await openDevice("cpu");
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 0, max: 1000 }),
        async (operations, seed) => {
          const values = (on: Device, dtype: "float32" | "float64") => {
            const rng = on.rng(seed);
            return [rng.normal([24, 4], { dtype }), rng.normal([4, 4], { dtype })] as const;
          };
          const body = (x: Tensor, W: Tensor) => {
            const live = [x];
            for (const apply of operations) live.push(apply(live, x, W));
            const last = live.at(-1) as Tensor;
            return {
              last,
              sum: last.transpose().matmul(x),
              columns: outer(last, x).columns((c) => c.mean((u, m) => u.sub(m).square(), c.mean()).sqrt()),
              rows: denseSamples(last).mean((u) => u.clamp(-1, 1)),
            };
          };
          const step = capture(body);
          const [x, W] = values(device, "float32");
          for (let t = 0; t < 3; t++) step(x, W);
          const found = step(x, W);
          const [x64, W64] = values(cpu, "float64");
          const expected = body(x64, W64);
          for (const name of ["last", "sum", "columns", "rows"] as const) {
            const [a, b] = await Promise.all([found[name].data(), expected[name].data()]);
            const size = Math.max(1, ...Array.from(b, Math.abs));
            a.forEach((value, i) => expect(Math.abs(value - (b[i] as number))).toBeLessThan(2e-5 * size));
          }
          step.dispose();
        },
      ),
      { numRuns: 60 },
    );
    cpu.dispose();
  });
});
