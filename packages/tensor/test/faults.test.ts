import { describe, expect, it } from "vitest";
import { openDevice, read, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { checkElements } from "../src/kernels.js";
import { coded } from "./coded.js";

describe("faults found on a device", () => {
  forEachDevice(({ device, dtype }) => {
    const indices = (...values: number[]) => device.tensor(values, { dtype: "int32" });
    const x = () => device.tensor([5, 6, 7], { dtype });
    const fault = (at = 0) => x().gather(indices(...Array.from({ length: at }, () => 0), 9));
    const message = (at: number) => new RegExp(`^gather: .* index out of range of indices at element ${at};`);

    it("reject the next read of any tensor, once", async () => {
      fault();
      const other = device.ones([2], { dtype });
      await expect(other.toArray()).rejects.toThrow(coded("BAD_DATA", message(0)));
      await expectClose(other, [1, 1]);
    });

    it("keep the first one when several happen before a read", async () => {
      fault(3);
      fault(1);
      await expect(x().data()).rejects.toThrow(message(3));
      await expectClose(x(), [5, 6, 7]);
    });

    it("are reported by exactly one of two concurrent reads, the one queued first", async () => {
      const bad = fault();
      const outcomes = await Promise.allSettled([bad.data(), x().data(), bad.data()]);
      expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    });

    it("are not lost when they happen between the call of a failing read and its rejection", async () => {
      fault(0);
      const first = x().data();
      const second = fault(2);
      await expect(first).rejects.toThrow(message(0));
      await expect(second.data()).rejects.toThrow(message(2));
      await expectClose(x(), [5, 6, 7]);
    });

    it("do not reject a read that was queued before", async () => {
      const pending = x().data();
      fault();
      expect([...(await pending)]).toEqual([5, 6, 7]);
      await expect(x().data()).rejects.toThrow(coded("BAD_DATA"));
    });

    it("reject a record as a whole, once", async () => {
      fault();
      await expect(read({ a: x(), b: x() })).rejects.toThrow(coded("BAD_DATA"));
      expect(await read({ a: x().sum() })).toEqual({ a: 18 });
    });

    it("are not swallowed by a record with a bad entry", async () => {
      fault();
      await expect(read({ a: x(), b: 3 as never })).rejects.toThrow(coded("BAD_ARGUMENT", "b"));
      await expect(x().data()).rejects.toThrow(coded("BAD_DATA"));
    });

    it("name where they came from, after other names as well", async () => {
      const nan = device.tensor([[1, NaN]], { dtype, allowNonFinite: true });
      checkElements(nan, "nonFinite", { kind: "non-finite value", node: "softmax", parameter: "W" });
      await expect(nan.data()).rejects.toThrow(
        coded(
          "BAD_DATA",
          "softmax: expected valid data, found a fault on the device: non-finite value of W at element 1",
        ),
      );
      checkElements(nan, "isNaN", { kind: "non-finite value", node: "loss" });
      await expect(nan.data()).rejects.toThrow(
        coded("BAD_DATA", "loss: expected valid data, found a fault on the device: non-finite value at element 1"),
      );
    });

    it("belong to their device alone", async () => {
      const other = await openDevice("cpu");
      fault();
      expect(await other.ones([1]).item()).toBe(1);
      await expect(x().data()).rejects.toThrow(coded("BAD_DATA"));
      other.dispose();
    });
  });
});

describe("checkElements", () => {
  forEachDevice(({ device, dtype }) => {
    const passes = async (t: Tensor, test: Parameters<typeof checkElements>[1]) => {
      checkElements(t, test, { kind: "non-finite value", node: "check" });
      try {
        await t.data();
        return true;
      } catch {
        return false;
      }
    };
    const floats = (...values: number[]) => device.tensor(values, { dtype, allowNonFinite: true });

    it("finds NaN, infinities, and what is outside of an interval, NaN included", async () => {
      expect(await passes(floats(1, -2), "nonFinite")).toBe(true);
      expect(await passes(floats(1, Infinity), "nonFinite")).toBe(false);
      expect(await passes(floats(1, NaN), "nonFinite")).toBe(false);
      expect(await passes(floats(1, Infinity), "isNaN")).toBe(true);
      expect(await passes(floats(1, NaN), "isNaN")).toBe(false);
      expect(await passes(floats(0, 2.5), { outside: [0, 3] })).toBe(true);
      expect(await passes(floats(0, 3), { outside: [0, 3] })).toBe(false);
      expect(await passes(floats(-0.1, 0), { outside: [0, 3] })).toBe(false);
      expect(await passes(floats(1, NaN), { outside: [0, 3] })).toBe(false);
      expect(await passes(device.tensor([0, 2 ** 32 - 1], { dtype: "uint32" }), { outside: [0, 5] })).toBe(false);
    });

    it("has nothing to find in nothing, and leaves no memory behind", async () => {
      const empty = device.zeros([0, 3], { dtype });
      const strided = device.zeros([2, 3], { dtype }).transpose();
      const live = device.memory().live;
      expect(await passes(empty, "isNaN")).toBe(true);
      expect(await passes(strided, "isNaN")).toBe(true);
      expect(device.memory().live).toBe(live);
    });
  });
});
