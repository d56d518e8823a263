import { describe, expect, it } from "vitest";
import { openDevice, read, tidy, type Cell } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { apply, constant, input } from "../src/kernels.js";
import { coded } from "./coded.js";

describe("Cell", () => {
  forEachDevice(({ device, dtype }) => {
    const using = async (cell: Cell, work: (cell: Cell) => Promise<void> | void) => {
      await work(cell);
      cell.dispose();
    };
    const ones = () => device.ones([2], { dtype });

    it("copies its first value", () =>
      using(device.cell(ones()), async (cell) => {
        expect([cell.shape, cell.dtype, cell.version]).toEqual([[2], dtype, 0]);
        await expectClose(cell.value, [1, 1]);
      }));

    it("copies what is assigned, in whatever layout, and counts assignments", () =>
      using(device.cell(device.zeros([2, 2], { dtype })), async (cell) => {
        const x = device.tensor(
          [
            [1, 2],
            [3, 4],
          ],
          { dtype },
        );
        cell.assign(x.transpose());
        x.dispose();
        await expectClose(cell.value, [
          [1, 3],
          [2, 4],
        ]);
        cell.assign(device.zeros([1, 2], { dtype }).broadcastTo([2, 2]));
        await expectClose(cell.value, [
          [0, 0],
          [0, 0],
        ]);
        expect(cell.version).toBe(2);
      }));

    it("lets a tensor taken earlier keep what it held", () =>
      using(device.cell(ones()), async (cell) => {
        const before = cell.value;
        const view = cell.value.reshape([2, 1]);
        cell.assign(device.tensor([5, 6], { dtype }));
        const between = cell.value;
        cell.assign(device.tensor([7, 8], { dtype }));
        await expectClose(before, [1, 1]);
        await expectClose(view, [[1], [1]]);
        await expectClose(between, [5, 6]);
        await expectClose(cell.value, [7, 8]);
      }));

    it("copies aside only for tensors that are alive", () =>
      using(device.cell(ones()), (cell) => {
        const live = device.memory().live;
        const bytes = 2 * (dtype === "float32" ? 4 : 8);
        const next = device.zeros([2], { dtype });
        tidy(() => void cell.value.add(1));
        cell.assign(next);
        expect(device.memory().live).toBe(live + bytes);
        const held = cell.value;
        cell.assign(next);
        expect(device.memory().live).toBe(live + 2 * bytes);
        held.dispose();
        expect(device.memory().live).toBe(live + bytes);
      }));

    it("takes a value made of itself", () =>
      using(
        device.cell(
          device.tensor(
            [
              [1, 2],
              [3, 4],
            ],
            { dtype },
          ),
        ),
        async (cell) => {
          cell.assign(cell.value.transpose());
          await expectClose(cell.value, [
            [1, 3],
            [2, 4],
          ]);
          cell.assign(cell.value);
          await expectClose(cell.value, [
            [1, 3],
            [2, 4],
          ]);
          cell.assign(cell.value.add(cell.value));
          await expectClose(cell.value, [
            [2, 6],
            [4, 8],
          ]);
        },
      ));

    it("survives tidy, made inside or outside, with what was assigned inside", async () => {
      const outside = device.cell(ones());
      const inside = tidy(() => {
        outside.assign(ones().mul(3));
        return [device.cell(ones().mul(2))] as const;
      });
      await expectClose(outside.value, [3, 3]);
      await expectClose(inside[0].value, [2, 2]);
      outside.dispose();
      inside[0].dispose();
    });

    it("is snapshotted by a read: assignments after the call do not show", () =>
      using(device.cell(ones()), async (cell) => {
        const pending = cell.value.data();
        cell.assign(device.zeros([2], { dtype }));
        expect([...(await pending)]).toEqual([1, 1]);
      }));

    it("need not step aside after a read of it in a record", () =>
      using(device.cell(ones()), async (cell) => {
        const next = device.zeros([2], { dtype });
        const { live } = device.memory();
        expect(await read({ cell })).toEqual({ cell: [1, 1] });
        cell.assign(next);
        expect(device.memory().live).toBe(live);
      }));

    it("refuses other shapes, dtypes and devices, and what is no tensor", async () => {
      const other = await openDevice("cpu");
      await using(device.cell(ones()), (cell) => {
        expect(() => cell.assign(device.zeros([3], { dtype }))).toThrow(
          coded("SHAPE_MISMATCH", "expected shape [2], found [3]"),
        );
        expect(() => cell.assign(device.zeros([2], { dtype: "int32" }))).toThrow(
          coded("DTYPE_MISMATCH", `expected ${dtype}, found int32`),
        );
        expect(() => cell.assign(other.zeros([2], { dtype }))).toThrow(coded("DEVICE_MISMATCH"));
        expect(() => cell.assign([1, 2] as never)).toThrow(coded("BAD_ARGUMENT", "found Array"));
        const gone = ones();
        gone.dispose();
        expect(() => cell.assign(gone)).toThrow(coded("DISPOSED"));
        expect(() => device.cell(gone)).toThrow(coded("DISPOSED"));
        expect(() => device.cell(3 as never)).toThrow(coded("BAD_ARGUMENT"));
        expect(() => device.cell(other.zeros([2]))).toThrow(coded("DEVICE_MISMATCH"));
        expect(cell.version).toBe(0);
      });
      other.dispose();
    });

    it("throws DISPOSED after its end, which may come twice; tensors taken from it live on", async () => {
      const cell = device.cell(ones());
      const value = cell.value;
      cell.dispose();
      cell.dispose();
      expect(() => cell.value).toThrow(coded("DISPOSED"));
      expect(() => cell.assign(ones())).toThrow(coded("DISPOSED"));
      await expectClose(value, [1, 1]);
    });

    describe("update", () => {
      const scaled = apply("add", input(0), apply("mul", input(1), constant(-0.5)));

      it("changes the value in place by a formula of it and of operands that broadcast", () =>
        using(device.cell(device.zeros([2, 2], { dtype })), async (cell) => {
          const live = device.memory().live;
          const gradient = device.tensor([2, 4], { dtype });
          cell.update(scaled, [gradient]);
          expect(device.memory().live - live).toBe(2 * (dtype === "float32" ? 4 : 8));
          await expectClose(cell.value, [
            [-1, -2],
            [-1, -2],
          ]);
          expect(cell.version).toBe(1);
        }));

      it("leaves tensors taken earlier as they were, also among its operands", () =>
        using(
          device.cell(
            device.tensor(
              [
                [1, 2],
                [3, 4],
              ],
              { dtype },
            ),
          ),
          async (cell) => {
            const before = cell.value;
            cell.update(apply("sub", input(0), input(1)), [cell.value.transpose()]);
            await expectClose(before, [
              [1, 2],
              [3, 4],
            ]);
            await expectClose(cell.value, [
              [0, -1],
              [1, 0],
            ]);
          },
        ));

      it("does nothing while a fault is set", () =>
        using(device.cell(ones()), async (cell) => {
          const fault = device.zeros([1], { dtype }).gather(device.tensor([1], { dtype: "int32" }));
          cell.update(scaled, [ones()]);
          await expect(fault.data()).rejects.toThrow(coded("BAD_DATA"));
          await expectClose(cell.value, [1, 1]);
          cell.update(scaled, [ones()]);
          await expectClose(cell.value, [0.5, 0.5]);
        }));
    });
  });
});
