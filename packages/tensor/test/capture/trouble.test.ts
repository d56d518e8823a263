import { capture, openDevice, type Device, type DeviceName, type Tensor } from "@robgrad/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import { coded } from "../coded.js";

const kilobyte = 1024;
const devices: readonly DeviceName[] = ["cpu", "wasm"];

describe.each(devices)("trouble on %s", (name) => {
  /** Opens a device, and finds it working and with as much memory as before when `work` is done. */
  async function survives(work: (device: Device) => Promise<void> | void, memoryLimit?: number): Promise<void> {
    const device = await openDevice(name, memoryLimit === undefined ? {} : { memoryLimit });
    const before = device.memory().live;
    const scope = device.openScope();
    try {
      await work(device);
    } finally {
      device.closeScope(scope, new Set());
    }
    expect(device.memory().live, "bytes held afterwards").toBe(before);
    const fresh = capture((x: Tensor) => x.mul(2).sum());
    const x = device.tensor([1, 2, 3]);
    for (let t = 0; t < 4; t++) expect(await fresh(x).item()).toBe(12);
    fresh.dispose();
    device.dispose();
  }

  describe("a memory limit", () => {
    const floats = (bytes: number) => [bytes / 4];

    it("stops eager code", () =>
      survives(async (device) => {
        const kept = device.ones(floats(4 * kilobyte));
        expect(() => device.ones(floats(8 * kilobyte))).toThrow(coded("MEMORY_LIMIT", "request for 8192"));
        expect(await kept.sum().item()).toBe(kilobyte);
      }, 10 * kilobyte));

    it("stops a step while it is recorded, which can be called again", () =>
      survives(async (device) => {
        let large = true;
        const step = capture((x: Tensor) => {
          const y = x.mul(2);
          return large
            ? y
                .broadcastTo([64, ...x.shape])
                .add(1)
                .sum()
            : y.sum();
        });
        const x = device.ones(floats(kilobyte));
        const live = device.memory().live;
        for (const _ of [1, 2]) {
          expect(() => step(x)).toThrow(coded("MEMORY_LIMIT"));
          expect(device.memory().live).toBe(live);
        }
        large = false;
        for (let t = 0; t < 4; t++) expect(await step(x).item()).toBe(512);
        step.dispose();
      }, 32 * kilobyte));

    it("stops a step when its memory is planned, which can be called again", () =>
      survives(async (device) => {
        const step = capture((x: Tensor) => ({ y: x.mul(2), z: x.add(1) }));
        const x = device.ones(floats(4 * kilobyte));
        const live = device.memory().live;
        // A call needs room for the copied argument and both results, a plan for three such beside those results.
        for (let round = 0; round < 3; round++) {
          const { y } = step(x);
          expect((await y.data())[0]).toBe(2);
          expect(() => step(x)).toThrow(coded("MEMORY_LIMIT"));
          expect(device.memory().live).toBe(live);
        }
        step.dispose();
      }, 20 * kilobyte));

    it("stops a replay that must keep an old value, which can be called again", () =>
      survives(async (device) => {
        const cell = device.cell(device.zeros(floats(4 * kilobyte)));
        const step = capture((x: Tensor) => cell.assign(cell.value.add(x)));
        const one = device.ones([1]);
        for (let t = 0; t < 3; t++) step(one);
        const rest = device.ones(floats(Math.floor((32 * kilobyte - device.memory().live - 512) / 4) * 4));
        const old = cell.value;
        expect(() => step(one)).toThrow(coded("MEMORY_LIMIT"));
        expect((await old.data())[0]).toBe(3);
        expect((await cell.value.data())[0]).toBe(3);
        old.dispose();
        rest.dispose();
        step(one);
        expect((await cell.value.data())[0]).toBe(4);
        step.dispose();
        cell.dispose();
      }, 32 * kilobyte));
  });

  describe("disposed", () => {
    it("arguments are refused, recorded or replayed", () =>
      survives(async (device) => {
        const step = capture((x: Tensor) => x.add(1));
        const gone = device.ones([2]);
        gone.dispose();
        for (let t = 0; t < 4; t++) {
          expect(() => step(gone)).toThrow(coded("DISPOSED"));
          expect(await step(device.tensor([t, t])).toArray()).toEqual([t + 1, t + 1]);
        }
        step.dispose();
      }));

    it("results are refused after the next call, a failing one too", () =>
      survives(async (device) => {
        const step = capture((x: Tensor) => x.add(1));
        for (let t = 0; t < 4; t++) {
          const before = step(device.tensor([t]));
          step(device.tensor([t]));
          expect(() => before.add(1)).toThrow(coded("DISPOSED"));
          await expect(before.data()).rejects.toThrow(coded("DISPOSED"));
        }
        const last = step(device.tensor([7]));
        expect(() => step(null as never)).toThrow(coded("BAD_ARGUMENT"));
        await expect(last.data()).rejects.toThrow(coded("DISPOSED"));
        step.dispose();
      }));

    it("steps begin anew, and end their results", () =>
      survives(async (device) => {
        const step = capture((x: Tensor) => x.add(1));
        for (let round = 0; round < 3; round++) {
          let result = step(device.tensor([0]));
          for (let t = 1; t < 4; t++) result = step(device.tensor([t]));
          expect(await result.item()).toBe(4);
          step.dispose();
          await expect(result.data()).rejects.toThrow(coded("DISPOSED"));
        }
      }));

    it.each(["assigns", "reads"] as const)("cells that a replay %s are refused", (use) =>
      survives((device) => {
        const cell = device.cell(device.zeros([2]));
        const step = capture((x: Tensor) => (use === "reads" ? cell.value.add(x) : void cell.assign(x)));
        const x = device.ones([2]);
        for (let t = 0; t < 3; t++) step(x);
        cell.dispose();
        for (const _ of [1, 2]) expect(() => step(x)).toThrow(coded("DISPOSED"));
        step.dispose();
      }),
    );

    it("cells are refused that were assigned outside the step", () =>
      survives(async (device) => {
        const cell = device.cell(device.zeros([2]));
        const step = capture((x: Tensor) => cell.value.add(x));
        const x = device.ones([2]);
        for (let t = 0; t < 5; t++) {
          expect(await step(x).toArray()).toEqual([t + 1, t + 1]);
          cell.assign(device.full([2], t + 1));
        }
        cell.dispose();
        const next = device.full([2], 1000);
        expect(() => step(x)).toThrow(coded("DISPOSED"));
        expect(await next.toArray()).toEqual([1000, 1000]);
        step.dispose();
      }));

    it("tensors that a replay found are refused", () =>
      survives((device) => {
        const found = device.ones([2]);
        const step = capture((x: Tensor) => x.add(found));
        const x = device.ones([2]);
        for (let t = 0; t < 3; t++) step(x);
        found.dispose();
        expect(() => step(x)).toThrow(coded("DISPOSED"));
        step.dispose();
      }));
  });

  describe("control flow that depends on data", () => {
    const here = /trouble\.test/;

    it("is refused where a value read before decides it", () =>
      survives(async (device) => {
        const x = device.tensor([-1, 2]);
        let sign = 0;
        const step = capture((y: Tensor) => (sign < 0 ? y.neg() : y.sqrt()));
        sign = await x.slice([0, 1]).item();
        step(x);
        sign = await x.slice([1, 2]).item();
        const live = device.memory().live;
        expect(() => step(x)).toThrow(coded("NOT_REPLAYABLE", here));
        expect(device.memory().live).toBeLessThanOrEqual(live);
        // Both calls are forgotten.
        for (let t = 0; t < 3; t++) expect((await step(x).data())[1]).toBe(Math.fround(Math.SQRT2));
        step.dispose();
      }));

    it("is refused where a tensor is used as a number", () =>
      survives((device) => {
        const step = capture((x: Tensor) => ((x as unknown as number) > 0 ? x.add(1) : x.sub(1)));
        for (const _ of [1, 2]) expect(() => step(device.ones([]))).toThrow(coded("BAD_ARGUMENT"));
        step.dispose();
      }));

    it("is refused where a step reads, at the first call and the second", () =>
      survives(async (device) => {
        const reads: Promise<unknown>[] = [];
        const step = capture((x: Tensor) => {
          const y = x.add(1);
          reads.push(y.item(), x.toArray(), x.data());
          return y;
        });
        for (let t = 0; t < 2; t++) step(device.ones([1]));
        expect(reads).toHaveLength(6);
        for (const read of reads) await expect(read).rejects.toThrow(coded("NOT_REPLAYABLE", "read it outside"));
        step.dispose();
      }));

    it.each([
      ["a kernel that comes in", (t: number, x: Tensor) => (t > 0 ? x.add(1).exp() : x.add(1)), "kernel 1"],
      ["a kernel that stays out", (t: number, x: Tensor) => (t > 0 ? x.add(1) : x.add(1).exp()), "kernel 1"],
      ["another kernel", (t: number, x: Tensor) => (t > 0 ? x.add(1).sin() : x.add(1).cos()), "kernel 1"],
      ["a number that changes", (t: number, x: Tensor) => x.add(1).mul(0.5 + t), /kernel 1[^]*0\.5[^]*1\.5/],
      [
        "host values that change",
        (t: number, x: Tensor) => x.add(1).add(x.device.tensor([t, 8])),
        /\{0,8\}[^]*\{1,8\}/,
      ],
      [
        "another shape on the way",
        (t: number, x: Tensor) =>
          x
            .add(1)
            .slice([0, 2 - t])
            .exp(),
        "kernel 1",
      ],
    ] as const)("names the first difference and its line: %s", (_, body, message) =>
      survives(async (device) => {
        let calls = 0;
        const step = capture((x: Tensor) => body(calls++, x).sum());
        const x = device.ones([2]);
        step(x);
        const failing = () => step(x);
        expect(failing).toThrow(coded("NOT_REPLAYABLE", message));
        expect(calls).toBe(2);
        calls = 0;
        step(x);
        expect(() => step(x)).toThrow(here);
        step.dispose();
      }),
    );
  });

  describe("a step that returns a Promise", () => {
    it("does not type-check and is refused, whatever becomes of the Promise", () =>
      survives(async (device) => {
        type Step = Parameters<typeof capture<[Tensor], Promise<Tensor>>>[0];
        expectTypeOf<Step>().returns.toBeNever();
        // @ts-expect-error a step that returns a Promise
        const step = capture(async (x: Tensor) => {
          await x.data();
          return x;
        });
        // @ts-expect-error a step that returns a Promise, without await inside
        const later = capture((x: Tensor) => Promise.resolve(x.add(1)));
        for (const _ of [1, 2, 3]) {
          expect(() => step(device.ones([1]))).toThrow(coded("NOT_REPLAYABLE", "returns a Promise"));
          expect(() => later(device.ones([1]))).toThrow(coded("NOT_REPLAYABLE", "returns a Promise"));
        }
        // The refused Promises settle here; an unhandled rejection would fail the test.
        await new Promise((resolve) => setTimeout(resolve));
        step.dispose();
        later.dispose();
      }));
  });

  describe("other arguments", () => {
    it.each(devices)("of a device %s are refused, recorded or replayed", (another) =>
      survives(async (device) => {
        const other = await openDevice(another);
        const step = capture((x: Tensor, y: Tensor) => x.add(y));
        const [mine, foreign] = [device.ones([2]), other.ones([2])];
        for (let t = 0; t < 4; t++) {
          expect(() => step(mine, foreign)).toThrow(coded("DEVICE_MISMATCH"));
          expect(await step(mine, mine).toArray()).toEqual([2, 2]);
        }
        expect(() => step(foreign, foreign)).toThrow(coded("DEVICE_MISMATCH"));
        expect(await step(mine, mine).toArray()).toEqual([2, 2]);
        step.dispose();
        other.dispose();
      }),
    );

    it("of other shapes and dtypes are recorded on their own", () =>
      survives(async (device) => {
        let calls = 0;
        const step = capture((x: Tensor) => {
          calls++;
          return x.add(x).sum();
        });
        const kinds = [
          device.ones([3]),
          device.ones([1, 3]),
          device.ones([4]),
          device.ones([3], { dtype: "float64" }),
          device.ones([3], { dtype: "int32" }),
        ];
        for (let t = 0; t < 4; t++) {
          for (const x of kinds) {
            const found = step(x);
            expect([found.dtype, await found.item()]).toEqual([x.dtype, 2 * x.size]);
          }
        }
        expect(calls).toBe(2 * kinds.length);
        step.dispose();
      }));
  });

  it("leaves two steps that share cells in step", () =>
    survives(async (device) => {
      const w = device.cell(device.zeros([2]));
      const count = device.cell(device.zeros([]));
      const grow = capture((x: Tensor) => {
        w.assign(w.value.add(x));
        count.assign(count.value.add(1));
      });
      const halve = capture((x: Tensor) => {
        w.assign(w.value.mul(x));
        return w.value.sum().add(count.value);
      });
      let host = 0;
      for (let t = 0; t < 8; t++) {
        grow(device.full([2], t));
        if (t % 3 === 0) w.assign(device.full([2], 16));
        host = ((t % 3 === 0 ? 16 : host + t) * 1) / 2;
        expect(await halve(device.tensor(0.5)).item()).toBe(2 * host + t + 1);
      }
      for (const owner of [grow, w, count]) owner.dispose();
      expect(() => halve(device.tensor(0.5))).toThrow(coded("DISPOSED"));
      halve.dispose();
    }));

  it.each([0, 1, 2])("goes on after a step has thrown at call %d", (failing) =>
    survives(async (device) => {
      let calls = 0;
      const total = device.cell(device.zeros([2]));
      const step = capture((x: Tensor) => {
        const y = x.mul(3);
        if (calls++ === failing) throw new Error("mine");
        total.assign(total.value.add(y));
        return y;
      });
      const x = device.ones([2]);
      let done = 0;
      for (let t = 0; t < 6; t++) {
        const live = device.memory().live;
        // A replay does not run the step, so that only the first two calls can throw.
        if (t === failing && failing < 2) {
          expect(() => step(x)).toThrow("mine");
          expect(device.memory().live).toBeLessThanOrEqual(live);
        } else {
          expect(await step(x).toArray()).toEqual([3, 3]);
          done++;
        }
        expect((await total.value.data())[0]).toBe(3 * done);
      }
      step.dispose();
      total.dispose();
    }),
  );
});
