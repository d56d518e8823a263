import { describe, expect, it } from "vitest";
import { openDevice, tidy, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { ownedTensors, tensorsIn } from "../src/kernels.js";
import { coded } from "./coded.js";

describe("tidy", () => {
  forEachDevice(({ device, dtype }) => {
    const x = () => device.ones([4], { dtype });
    const bytes = 4 * (dtype === "float32" ? 4 : 8);

    it("disposes everything but its result", async () => {
      const live = device.memory().live;
      let inner: Tensor | undefined;
      const y = tidy(() => {
        inner = x().mul(2);
        return inner.add(1);
      });
      expect(inner!.disposed).toBe(true);
      expect(device.memory().live).toBe(live + bytes);
      await expectClose(y, [3, 3, 3, 3]);
    });

    it("keeps tensors in arrays, maps, sets, records and owners, however deep", () => {
      class Owner {
        readonly hidden = x();
        [ownedTensors]() {
          return [this.hidden];
        }
      }
      const live = device.memory().live;
      const result = tidy(() => {
        x().neg();
        return {
          a: [x(), { b: x() }],
          map: new Map([[x(), new Set([x()])]]),
          owner: new Owner(),
          none: null,
          f: () => x(),
          bare: Object.assign(Object.create(null) as object, { t: x() }),
        };
      });
      const kept = [...tensorsIn(result)];
      expect(kept).toHaveLength(6);
      expect(kept.every((tensor) => !tensor.disposed)).toBe(true);
      expect(device.memory().live).toBe(live + 6 * bytes);
    });

    it("does not look into class instances that own nothing, and stops at cycles", () => {
      class Hider {
        readonly tensor = x();
      }
      const hider = tidy(() => new Hider());
      expect(hider.tensor.disposed).toBe(true);
      const cycle = tidy(() => {
        const record: { self?: unknown; t: Tensor } = { t: x() };
        record.self = record;
        return record;
      });
      expect(cycle.t.disposed).toBe(false);
    });

    it("keeps a view alive when its source goes, and leaves tensors from outside alone", async () => {
      const outside = x();
      const view = tidy(() => {
        outside.add(1);
        return device
          .tensor(
            [
              [1, 2],
              [3, 4],
            ],
            { dtype },
          )
          .transpose();
      });
      await expectClose(view, [
        [1, 3],
        [2, 4],
      ]);
      await expectClose(outside, [1, 1, 1, 1]);
      expect(tidy(() => outside)).toBe(outside);
      expect(outside.disposed).toBe(false);
    });

    it("nests: what an inner scope keeps belongs to the outer one", () => {
      const live = device.memory().live;
      let middle: Tensor | undefined;
      const y = tidy(() => {
        middle = tidy(() => x().add(x()));
        expect(middle.disposed).toBe(false);
        return middle.mul(2);
      });
      expect(middle!.disposed).toBe(true);
      expect(y.disposed).toBe(false);
      expect(device.memory().live).toBe(live + bytes);
    });

    it("disposes everything when its work throws, and passes the error on", () => {
      const live = device.memory().live;
      const boom = new Error("boom");
      expect(() =>
        tidy(() => {
          tidy(() => x());
          x().mul(2);
          throw boom;
        }),
      ).toThrow(boom);
      expect(device.memory().live).toBe(live);
      x();
      expect(device.memory().live).toBe(live + bytes);
    });

    it("disposes everything when the result cannot be walked", () => {
      const live = device.memory().live;
      const hostile = () => {
        x();
        return Object.defineProperty({}, "t", {
          enumerable: true,
          get() {
            throw new Error("no");
          },
        });
      };
      expect(() => tidy(hostile)).toThrow("no");
      expect(device.memory().live).toBe(live);
    });

    it("does not type-check for work that returns a Promise, and throws if it does", () => {
      const live = device.memory().live;
      // @ts-expect-error A scope would end before the work does.
      expect(() => tidy(async () => x())).toThrow(coded("BAD_ARGUMENT", "found a Promise"));
      // @ts-expect-error A Promise nobody waits for.
      expect(() => tidy(() => x().data())).toThrow(coded("BAD_ARGUMENT"));
      expect(device.memory().live).toBe(live);
    });

    it("returns what is no tensor as it is", () => {
      expect(tidy(() => 3)).toBe(3);
      expect(tidy(() => undefined)).toBeUndefined();
    });

    it("covers all open devices", async () => {
      const other = await openDevice("cpu");
      const live = device.memory().live;
      const kept = tidy(() => {
        x();
        other.ones([3]);
        return other.ones([2]);
      });
      expect(device.memory().live).toBe(live);
      expect(other.memory().live).toBe(8);
      kept.dispose();
      expect(other.memory().live).toBe(0);
      other.dispose();
    });
  });
});

describe("dispose", () => {
  forEachDevice(({ device, dtype }) => {
    it("returns memory when the last handle goes, and may come twice", () => {
      const live = device.memory().live;
      const x = device.zeros([10], { dtype });
      const view = x.reshape([2, 5]);
      const part = view.slice([0, 1]);
      x.dispose();
      x.dispose();
      view.dispose();
      expect(device.memory().live).toBeGreaterThan(live);
      part.dispose();
      expect(device.memory().live).toBe(live);
      expect(x.disposed).toBe(true);
    });

    it("makes every later use throw DISPOSED, naming the operation", async () => {
      const x = device.ones([2, 2], { dtype });
      const y = device.ones([2, 2], { dtype });
      const indices = device.zeros([1], { dtype: "int32" });
      x.dispose();
      const uses: Record<string, () => unknown> = {
        add: () => x.add(1),
        sub: () => y.sub(x),
        matmul: () => y.matmul(x),
        sum: () => x.sum(),
        reshape: () => x.reshape([4]),
        permute: () => x.transpose(),
        slice: () => x.slice([0, 1]),
        broadcastTo: () => x.broadcastTo([2, 2, 2]),
        copy: () => x.copy(),
        cast: () => x.cast(dtype),
        gather: () => x.gather(indices),
        sort: () => x.sort(),
        map: () => x.map((u) => u),
        median: () => x.median(),
      };
      for (const [name, use] of Object.entries(uses)) {
        expect(use, name).toThrow(
          coded("DISPOSED", `${name}: expected a live tensor, found ${dtype} [2, 2] that was disposed`),
        );
      }
      await expect(x.data()).rejects.toThrow(coded("DISPOSED"));
      await expect(x.toArray()).rejects.toThrow(coded("DISPOSED"));
      expect(x.shape).toEqual([2, 2]);
    });
  });
});

describe("operations", () => {
  forEachDevice(({ device, dtype }) => {
    const x = device.tensor(
      [
        [3, 1, 2],
        [6, 5, 4],
      ],
      { dtype },
    );
    const t = x.transpose();
    const indices = device.tensor([[0, 1, 0]], { dtype: "int32" });

    it("leave nothing but their results behind", () => {
      const operations: Record<string, () => unknown> = {
        "reshape of a strided view": () => t.reshape([6]),
        "sum with keepdims": () => x.sum({ axis: 0, keepdims: true }),
        "argmax over all": () => x.argmax({ keepdims: true }),
        variance: () => x.variance({ axis: 0 }),
        median: () => x.median(),
        "median along an axis": () => t.median({ axis: 1 }),
        sort: () => t.sort(),
        topk: () => x.topk(2),
        cumsum: () => t.cumsum({ axis: 1 }),
        gather: () => t.gather(indices.transpose(), { axis: 1 }),
        takeAlongAxis: () => x.takeAlongAxis(indices, { axis: 0 }),
        "matmul of vectors": () => x.matmul(device.ones([3], { dtype })),
        "matmul of batches": () => x.reshape([2, 1, 3]).matmul(t.reshape([1, 3, 2])),
        map: () => t.map((u) => u.exp()),
        cast: () => x.cast("int32"),
        copy: () => t.copy(),
      };
      for (const [name, operation] of Object.entries(operations)) {
        const live = device.memory().live;
        const made = device.openScope();
        const result = operation();
        const kept = [...tensorsIn(result)];
        const own = new Set(kept.map((y) => y.storage));
        const held = device.memory().live - live;
        const inputs = name.startsWith("matmul of vectors") ? 3 * (dtype === "float32" ? 4 : 8) : 0;
        const size = [...own].reduce((sum, { length, dtype: d }) => sum + length * (d === "float64" ? 8 : 4), 0);
        expect(held - inputs, name).toBeLessThanOrEqual(size);
        device.closeScope(made, new Set());
        expect(device.memory().live, name).toBe(live);
      }
    });
  });
});
