import { describe, expect, it } from "vitest";
import { capture, iterate, openDevice, read, type History, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { viewsOf } from "../src/kernel/views.js";
import { coded } from "./coded.js";

describe("History", () => {
  forEachDevice(({ device, dtype }) => {
    const using = async (history: History, work: (history: History) => Promise<void> | void) => {
      try {
        await work(history);
      } finally {
        history.dispose();
      }
    };
    const scalar = (value: number) => device.tensor(value, { dtype });

    it("keeps values in the order they came", () =>
      using(device.history(4, { dtype }), async (history) => {
        expect([history.length, history.capacity, history.shape, history.dtype]).toEqual([0, 4, [], dtype]);
        expect(await history.toArray()).toEqual([]);
        for (const value of [3, 1, 2]) history.record(scalar(value));
        expect(history.length).toBe(3);
        expect(await history.toArray()).toEqual([3, 1, 2]);
      }));

    it("keeps values of any shape and layout", () =>
      using(device.history(2, { shape: [2, 3], dtype }), async (history) => {
        const x = device.arange(6, { dtype }).reshape([3, 2]);
        history.record(x.transpose());
        history.record(device.ones([3], { dtype }).broadcastTo([2, 3]));
        expect(await history.toArray()).toEqual([
          [
            [0, 2, 4],
            [1, 3, 5],
          ],
          [
            [1, 1, 1],
            [1, 1, 1],
          ],
        ]);
      }));

    it("keeps integers and truth values", async () => {
      const flags = device.history(2, { dtype: "bool" });
      const counts = device.history(2, { dtype: "int32" });
      flags.record(device.tensor(true));
      counts.record(device.tensor(-7, { dtype: "int32" }));
      expect(await read({ flags, counts })).toEqual({ flags: [1], counts: [-7] });
      flags.dispose();
      counts.dispose();
    });

    it("is written by a captured step, which is nowhere waited for", () =>
      using(device.history(200, { dtype }), async (history) => {
        const w = device.cell(scalar(0));
        const step = capture((x: Tensor) => {
          w.assign(w.value.add(x));
          history.record(w.value);
        });
        for (let t = 1; t <= 200; t++) step(scalar(t));
        expect(history.length).toBe(200);
        expect(await history.toArray()).toEqual(Array.from({ length: 200 }, (_, t) => ((t + 1) * (t + 2)) / 2));
        step.dispose();
        w.dispose();
      }));

    it("is written by steps and by hand in turn, and read in between", () =>
      using(device.history(8, { dtype }), async (history) => {
        const step = capture((x: Tensor) => history.record(x.mul(2)));
        const seen: unknown[] = [];
        for (let t = 1; t <= 4; t++) {
          step(scalar(t));
          history.record(scalar(100 + t));
          seen.push(await history.toArray());
        }
        expect(seen).toEqual([2, 4, 6, 8].map((n) => [2, 101, 4, 102, 6, 103, 8, 104].slice(0, n)));
        step.dispose();
      }));

    it("writes one value with one kernel, whatever the capacity", () =>
      using(device.history(100_000, { dtype }), (history) => {
        const written: number[] = [];
        const value = scalar(1);
        device.observe(
          {
            allocated: ({ length }) => written.push(length),
            written: () => {},
            ran: (kernel) => written.push(...viewsOf(kernel).reads.map(({ shape }) => shape.length)),
            assigned: () => {},
          },
          () => history.record(value),
        );
        // Nothing allocated, and two scalars read: the value and its place.
        expect(written).toEqual([0, 0]);
      }));

    it("lets a tensor taken earlier keep what it held, while replays go on", () =>
      using(device.history(10, { dtype }), async (history) => {
        const step = capture((x: Tensor) => history.record(x));
        for (let t = 0; t < 4; t++) step(scalar(t));
        const before = history.value;
        step(scalar(9));
        await expectClose(before, [0, 1, 2, 3]);
        await expectClose(history.value, [0, 1, 2, 3, 9]);
        step.dispose();
      }));

    it("says when it is full, also at a replay, which then does nothing, and starts anew", () =>
      using(device.history(4, { dtype }), async (history) => {
        const total = device.cell(scalar(0));
        const step = capture((x: Tensor) => {
          total.assign(total.value.add(x));
          history.record(x);
        });
        for (let t = 0; t < 4; t++) step(scalar(t));
        for (const full of [() => step(scalar(4)), () => history.record(scalar(4))]) {
          expect(full).toThrow(coded("BAD_ARGUMENT", "history.record: expected at most 4 values, found 4 and 1 more"));
        }
        await expectClose(total.value, 0 + 1 + 2 + 3);
        expect(await history.toArray()).toEqual([0, 1, 2, 3]);
        history.clear();
        expect(history.length).toBe(0);
        step(scalar(5));
        expect([history.length, await history.toArray()]).toEqual([1, [5]]);
        step.dispose();
        total.dispose();
      }));

    it("keeps what is not a number", () =>
      using(device.history(2, { dtype }), async (history) => {
        history.record(scalar(1).div(0));
        history.record(scalar(0).div(0));
        expect(await history.toArray()).toEqual([Infinity, NaN]);
      }));

    it("refuses what it has no room for and what is no value of it", async () => {
      const other = await openDevice("cpu");
      const live = device.memory().live;
      for (const capacity of [0, -1, 1.5, NaN, Infinity]) {
        expect(() => device.history(capacity)).toThrow(coded("BAD_ARGUMENT", "expected capacity"));
      }
      expect(() => device.history(3, { shape: [-1] })).toThrow(coded("BAD_ARGUMENT"));
      expect(device.memory().live).toBe(live);
      await using(device.history(3, { dtype }), (history) => {
        expect(() => history.record(device.zeros([1], { dtype }))).toThrow(
          coded("SHAPE_MISMATCH", "expected shape [], found [1]"),
        );
        expect(() => history.record(device.tensor(1, { dtype: "int32" }))).toThrow(
          coded("DTYPE_MISMATCH", `expected ${dtype}, found int32`),
        );
        expect(() => history.record(other.tensor(1, { dtype }))).toThrow(coded("DEVICE_MISMATCH"));
        for (const value of [1, null, undefined, {}]) {
          expect(() => history.record(value as never)).toThrow(coded("BAD_ARGUMENT"));
        }
        const gone = scalar(1);
        gone.dispose();
        expect(() => history.record(gone)).toThrow(coded("DISPOSED"));
        expect(history.length).toBe(0);
      });
      other.dispose();
    });

    it("refuses loops on the device, and to be cleared inside a step", () =>
      using(device.history(3, { dtype }), (history) => {
        const loop = () => iterate(scalar(1), (x) => (history.record(x), x.add(1)), { maximum: 3 });
        expect(loop).toThrow(coded("NOT_REPLAYABLE", "outside of iterate"));
        const step = capture((x: Tensor) => (history.clear(), history.record(x)));
        expect(() => step(scalar(1))).toThrow(coded("BAD_ARGUMENT", "history.clear"));
        expect(history.length).toBe(0);
        step.dispose();
      }));

    it("throws DISPOSED after its end, which may come twice", async () => {
      const history = device.history(2, { dtype });
      history.dispose();
      history.dispose();
      expect(() => history.record(scalar(1))).toThrow(coded("DISPOSED"));
      expect(() => history.value).toThrow(coded("DISPOSED"));
      expect(() => history.clear()).toThrow(coded("DISPOSED"));
      await expect(history.toArray()).rejects.toMatchObject({ code: "DISPOSED" });
    });
  });
});
