import { describe, expect, it } from "vitest";
import { concat, iterate, tidy, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { coded } from "./coded.js";

describe("iterate", () => {
  forEachDevice(({ device, dtype, epsilon }) => {
    const tensor = (values: number[] | number) => device.tensor(values, { dtype });
    const newton = (x: Tensor) => x.add(tensor([2]).div(x)).mul(0.5);

    it("turns a state over, `maximum` times, and leaves the start as it was", async () => {
      const start = tensor([1, 2, 3]);
      await expectClose(
        iterate(start, (x) => x.mul(2).add(1), { maximum: 3 }),
        [15, 23, 31],
      );
      await expectClose(
        iterate(start, (x) => x, { maximum: 5 }),
        [1, 2, 3],
      );
      await expectClose(start, [1, 2, 3]);
    });

    it("ends when `until` holds for the next and the previous state", async () => {
      const until = (next: Tensor, previous: Tensor) =>
        next
          .sub(previous)
          .abs()
          .max()
          .lessEqual(2 * epsilon);
      await expectClose(iterate(tensor([2]), newton, { maximum: 100, until }), [Math.SQRT2], { ulps: 1 });
      const counted = iterate([tensor([2]), tensor([0])], ([x, n]) => [newton(x!), n!.add(1)], {
        maximum: 100,
        until: ([next], [previous]) => until(next!, previous!),
      });
      expect(await counted[1]!.item()).toBeLessThan(10);
      const at = (limit: number) =>
        iterate(tensor([0]), (x) => x.add(1), { maximum: 10, until: (next) => next.greaterEqual(limit) }).toArray();
      expect([await at(1), await at(4), await at(99)]).toEqual([[1], [4], [10]]);
    });

    it("turns several tensors over at once, each from the states before", async () => {
      const [a, b] = iterate([tensor([0]), tensor([1])], ([x, y]) => [y!, x!.add(y!)], { maximum: 10 });
      await expectClose(a!, [55]);
      await expectClose(b!, [89]);
    });

    it("takes states that are views of others, of larger tensors or of one another", async () => {
      await expectClose(
        iterate(tensor([1, 2, 3]), (x) => concat([x, x]).slice([2, 5]), { maximum: 2 }),
        [2, 3, 1],
      );
      await expectClose(
        iterate(
          device.tensor(
            [
              [1, 2],
              [3, 4],
            ],
            { dtype },
          ),
          (x) => x.transpose(),
          { maximum: 3 },
        ),
        [
          [1, 3],
          [2, 4],
        ],
      );
      await expectClose(
        iterate(tensor([1, 2, 3, 4]), (x) => x.slice([3]).broadcastTo([4]), { maximum: 1 }),
        [4, 4, 4, 4],
      );
      const same = iterate([tensor([1]), tensor([2])], ([x]) => [x!, x!], { maximum: 1 });
      await expectClose(same[1]!, [1]);
      const permuted = device.arange(6, { dtype }).reshape([2, 3]).transpose();
      await expectClose(
        iterate(permuted, (x) => x.add(1), { maximum: 1 }),
        [
          [1, 4],
          [2, 5],
          [3, 6],
        ],
      );
    });

    it("keeps integers and bools", async () => {
      const n = iterate(device.tensor([1, 2 ** 31], { dtype: "uint32" }), (x) => x.mul(2), { maximum: 1 });
      await expectClose(n, [2, 0]);
      await expectClose(
        iterate(device.tensor([true, false]), (x) => x.not(), { maximum: 3 }),
        [0, 1],
      );
    });

    it("runs every kind of kernel in its body, loops among them", async () => {
      const x = device.tensor(
        [
          [4, 1],
          [1, 3],
        ],
        { dtype },
      );
      const v = iterate(
        device.ones([2], { dtype }),
        (u) => {
          const w = x.matmul(u);
          return w.div(w.square().sum().sqrt());
        },
        { maximum: 60 },
      );
      await expectClose(x.matmul(v).mul(v).sum(), 3.5 + Math.sqrt(1.25), { relative: 16 * epsilon });
      const nested = iterate(tensor([1]), (u) => iterate(u, (w) => w.mul(2), { maximum: 3 }).add(1), { maximum: 2 });
      await expectClose(nested, [73]);
      const sorted = iterate(tensor([3, 1, 2]), (u) => u.sort().add(u), { maximum: 1 });
      await expectClose(sorted, [4, 3, 5]);
    });

    it("runs its step once, so what is made in it of host values is constant", async () => {
      let calls = 0;
      const step = (x: Tensor) => {
        calls++;
        return x.add(tensor([calls]));
      };
      await expectClose(iterate(tensor([0]), step, { maximum: 4 }), [4]);
      expect(calls).toBe(1);
    });

    it("draws other random numbers in every turn", async () => {
      const rng = device.rng(1);
      const host = device.rng(1);
      const found = iterate(tensor([0, 0]), (x) => x.add(rng.uniform([2], { dtype })), { maximum: 3 });
      const expected = [0, 0, 0].map(() => host.uniform([2], { dtype })).reduce((a, b) => a.add(b));
      await expectClose(found, await expected.toArray(), { relative: 4 * epsilon });
      rng.dispose();
      host.dispose();
    });

    it("assigns cells in every turn, and refuses to while a tensor of the old value is alive", async () => {
      const cell = device.cell(tensor([1]));
      const found = iterate(
        tensor([0]),
        (x) => {
          cell.assign(tidy(() => cell.value.mul(2)));
          return x.add(1);
        },
        { maximum: 3 },
      );
      await expectClose(found, [3]);
      await expectClose(cell.value, [8]);
      const grow = (x: Tensor) => {
        cell.assign(cell.value.mul(2));
        return x;
      };
      expect(() => iterate(tensor([0]), grow, { maximum: 3 })).toThrow(coded("NOT_REPLAYABLE", "alive"));
      await expectClose(cell.value, [8]);
      cell.dispose();
    });

    it("may dispose inside of its step what it made there", async () => {
      const step = (x: Tensor) => {
        const y = x.mul(3);
        const z = y.add(1);
        y.dispose();
        return tidy(() => z.sub(1).add(x));
      };
      await expectClose(iterate(tensor([1]), step, { maximum: 2 }), [16]);
    });

    it("belongs to the scope around it, and leaves nothing else behind", async () => {
      const start = tensor([1, 2]);
      const live = device.memory().live;
      const bytes = 2 * (dtype === "float32" ? 4 : 8);
      const found = iterate(start, (x) => x.sin().cos().add(1), { maximum: 3, until: (next) => next.max().greater(9) });
      expect(device.memory().live).toBe(live + bytes);
      found.dispose();
      expect(device.memory().live).toBe(live);
      const kept = tidy(() => {
        const inner = iterate(start, (x) => x.add(1), { maximum: 2 });
        return inner.mul(1);
      });
      expect(device.memory().live).toBe(live + bytes);
      await expectClose(kept, [3, 4]);
    });

    it("takes no memory that grows with the number of turns", () => {
      const start = tensor([1, 2]);
      const peak = (maximum: number) => {
        device.resetPeak();
        tidy(() => void iterate(start, (x) => x.mul(0.5).add(1).sin(), { maximum }));
        return device.memory().peak;
      };
      expect(peak(1000)).toBe(peak(1));
    });

    it("throws for steps that change the form of their state", () => {
      const start = tensor([1, 2]);
      const once = { maximum: 1 };
      const pair = [start, start];
      expect(() => iterate(start, (x) => x.sum(), once)).toThrow(coded("SHAPE_MISMATCH", "state 0 at [2], found []"));
      expect(() => iterate(start, (x) => x.cast("int32"), once)).toThrow(
        coded("DTYPE_MISMATCH", `state 0 at ${dtype}, found int32`),
      );
      expect(() => iterate(pair, ([x]) => [x!], once)).toThrow(coded("SHAPE_MISMATCH", "state 1"));
      expect(() => iterate(pair, ([x]) => [x!, x!, x!], once)).toThrow(coded("SHAPE_MISMATCH", "2 tensors, found 3"));
      for (const result of [undefined, 3, [], [3], Promise.resolve(start)] as never[]) {
        expect(() => iterate(start, () => result, once)).toThrow(coded("BAD_ARGUMENT"));
      }
      const until = (value: unknown) => () =>
        iterate(start, (x) => x.add(1), { maximum: 1, until: () => value as never });
      expect(until(device.ones([1], { dtype }))).toThrow(coded("DTYPE_MISMATCH", "bool"));
      expect(until(device.tensor([true, false]))).toThrow(coded("SHAPE_MISMATCH", "one element"));
      expect(until(true)).toThrow(coded("BAD_ARGUMENT", "until"));
      for (const maximum of [0, -1, 1.5, NaN, Infinity, undefined as never]) {
        expect(() => iterate(start, (x) => x, { maximum })).toThrow(coded("BAD_ARGUMENT", "maximum"));
      }
      for (const state of [3, [], [3], null] as never[]) {
        expect(() => iterate(state, (x) => x, once)).toThrow(coded("BAD_ARGUMENT"));
      }
    });

    it("releases everything when its step throws", async () => {
      const start = tensor([1, 2]);
      const live = device.memory().live;
      const boom = new Error("boom");
      const fail = (x: Tensor) => {
        x.add(1).dispose();
        x.add(2);
        throw boom;
      };
      expect(() => iterate(start, fail, { maximum: 1 })).toThrow(boom);
      expect(() => iterate(start, (x) => x.sum(), { maximum: 1 })).toThrow();
      expect(() => iterate(start, (x) => iterate(x, fail, { maximum: 1 }), { maximum: 1 })).toThrow(boom);
      expect(device.memory().live).toBe(live);
      await expectClose(
        iterate(start, (x) => x.add(1), { maximum: 1 }),
        [2, 3],
      );
    });

    it("refuses reads inside of its step", async () => {
      let pending: Promise<unknown> | undefined;
      await expectClose(
        iterate(
          tensor([1]),
          (x) => {
            pending = x.data();
            pending.catch(() => {});
            return x.add(1);
          },
          { maximum: 1 },
        ),
        [2],
      );
      await expect(pending).rejects.toThrow(coded("NOT_REPLAYABLE", "read"));
    });
  });
});
