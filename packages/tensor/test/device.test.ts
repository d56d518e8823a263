import { describe, expect, it } from "vitest";
import { codedError, Device, hasCode, openDevice, read, Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { openDevices } from "../src/scope.js";
import { coded } from "./coded.js";

describe("openDevice", () => {
  it("opens the first that works: by default, by name and from a list", async () => {
    for (const device of [await openDevice(), await openDevice("cpu"), await openDevice(["webgpu", "wasm", "cpu"])]) {
      expect(Device.is(device)).toBe(true);
      expect(device.dtypes).toContain("float32");
      device.dispose();
    }
    const cpu = await openDevice("cpu");
    expect(cpu.name).toBe("cpu");
    expect(cpu.dtypes).toEqual(["float32", "float64", "int32", "uint32", "bool"]);
    cpu.dispose();
  });

  it("refuses names it does not know and options that are none", async () => {
    await expect(openDevice("cuda" as never)).rejects.toThrow(coded("BAD_ARGUMENT", '"cuda"'));
    await expect(openDevice(["cuda", "cpu"] as never)).rejects.toThrow(coded("BAD_ARGUMENT"));
    await expect(openDevice(3 as never)).rejects.toThrow(coded("BAD_ARGUMENT"));
    await expect(openDevice(null as never)).rejects.toThrow(coded("BAD_ARGUMENT"));
    await expect(openDevice([])).rejects.toThrow(coded("BAD_ARGUMENT", "empty list"));
    for (const memoryLimit of [0, -1, NaN]) {
      await expect(openDevice("cpu", { memoryLimit })).rejects.toThrow(coded("BAD_ARGUMENT", "memoryLimit"));
    }
  });

  it("makes devices that do not share tensors", async () => {
    const [a, b] = [await openDevice("cpu"), await openDevice("cpu")];
    const x = a.ones([2]);
    const y = b.ones([2]);
    for (const mix of [() => x.add(y), () => x.matmul(y), () => x.map((u, v) => u.add(v!), y)]) {
      expect(mix).toThrow(coded("DEVICE_MISMATCH", "float32 [2] on cpu and float32 [2] on another cpu"));
    }
    a.dispose();
    b.dispose();
  });
});

describe("device.dispose", () => {
  it("ends the device: using it or its tensors throws DISPOSED, ending it again does nothing", async () => {
    const device = await openDevice("cpu");
    const x = device.ones([2]);
    const cell = device.cell(x);
    expect(openDevices().has(device)).toBe(true);
    device.dispose();
    device.dispose();
    expect(openDevices().has(device)).toBe(false);
    expect(() => device.zeros([1])).toThrow(coded("DISPOSED", "device cpu"));
    expect(() => x.add(1)).toThrow(coded("DISPOSED"));
    expect(() => cell.assign(x)).toThrow(coded("DISPOSED"));
    await expect(x.data()).rejects.toThrow(coded("DISPOSED"));
  });
});

describe("device.memory", () => {
  forEachDevice(({ device, dtype }) => {
    const width = dtype === "float32" ? 4 : 8;

    it("counts bytes of live tensors, views once, and remembers the most there were", () => {
      const { live } = device.memory();
      const x = device.zeros([10], { dtype });
      const y = x.reshape([2, 5]);
      const mask = device.zeros([3], { dtype: "bool" });
      expect(device.memory().live - live).toBe(10 * width + 3);
      device.resetPeak();
      const z = device.zeros([20], { dtype });
      z.dispose();
      expect(device.memory().peak - live).toBe(30 * width + 3);
      device.resetPeak();
      expect(device.memory().peak).toBe(device.memory().live);
      for (const tensor of [x, y, mask]) tensor.dispose();
      expect(device.memory().live).toBe(live);
    });
  });

  it("does not count the fault cell", async () => {
    const device = await openDevice("cpu", { memoryLimit: 24 });
    const x = device.tensor([1, 2, 3]);
    const indices = device.tensor([0], { dtype: "int32" });
    // 16 bytes are taken; the result and the check's place take the other 8.
    await expectClose(x.gather(indices), [1]);
    expect(device.memory().live).toBe(20);
    device.dispose();
  });
});

describe("memoryLimit", () => {
  it("makes what would exceed it throw MEMORY_LIMIT, and leaves everything as it was", async () => {
    const device = await openDevice("cpu", { memoryLimit: 92 });
    const x = device.ones([16]);
    const cell = device.cell(device.ones([2]));
    const held = cell.value;
    const before = device.memory();
    const attempts: (() => unknown)[] = [
      () => device.zeros([100]),
      () => x.add(1),
      () => x.sort(),
      () => x.median(),
      () => x.reshape([4, 4]).transpose().reshape([16]),
      () => cell.assign(device.zeros([2])),
      () => device.cell(x),
      () => device.tensor(new Float64Array(16)),
    ];
    for (const attempt of attempts) {
      const scope = device.openScope();
      expect(attempt).toThrow(coded("MEMORY_LIMIT", "expected at most 92 bytes in use"));
      device.closeScope(scope, new Set());
      expect(device.memory().live).toBe(before.live);
    }
    await expectClose(
      x,
      Array.from({ length: 16 }, () => 1),
    );
    await expectClose(cell.value, [1, 1]);
    await expectClose(held, [1, 1]);
    expect(cell.version).toBe(0);
    held.dispose();
    x.dispose();
    expect(device.ones([16]).size).toBe(16);
    device.dispose();
  });

  it("says so as well when the machine has no more memory", async () => {
    const device = await openDevice("cpu");
    expect(() => device.zeros([1e6, 1e6])).toThrow(coded("MEMORY_LIMIT", "expected to get 4000000000000 bytes"));
    expect(() => device.zeros([2 ** 40, 2 ** 40])).toThrow(coded("MEMORY_LIMIT"));
    expect(device.memory()).toEqual({ live: 0, peak: 0 });
    device.dispose();
  });
});

describe("reading", () => {
  forEachDevice(({ device, dtype }) => {
    const x = () =>
      device.tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { dtype },
      );

    it("gives typed arrays, nested arrays and numbers, in row-major order of any layout", async () => {
      const Expected = dtype === "float32" ? Float32Array : Float64Array;
      expect(await x().transpose().data()).toEqual(new Expected([1, 3, 2, 4]));
      expect(await x().transpose().toArray()).toEqual([
        [1, 3],
        [2, 4],
      ]);
      expect(await x().slice([1], [1]).item()).toBe(4);
      expect(await device.tensor(5, { dtype }).toArray()).toBe(5);
      expect(await device.zeros([2, 0], { dtype }).toArray()).toEqual([[], []]);
    });

    it("gives copies", async () => {
      const t = x();
      const data = await t.data();
      data[0] = 99;
      await expectClose(t, [
        [1, 2],
        [3, 4],
      ]);
    });

    it("leaves no memory behind", async () => {
      const t = x();
      const view = t.transpose();
      const live = device.memory().live;
      await view.data();
      await view.toArray();
      expect(device.memory().live).toBe(live);
    });

    it("refuses to make a number of several elements", async () => {
      await expect(x().item()).rejects.toThrow(coded("SHAPE_MISMATCH", "found shape [2, 2]"));
      await expect(device.zeros([0], { dtype }).item()).rejects.toThrow(coded("SHAPE_MISMATCH"));
    });

    it("reads records at one point in time", async () => {
      const cell = device.cell(device.tensor([1], { dtype }));
      const variable = { value: x().sum() };
      const pending = read({ now: cell.value, sum: variable, none: null, missing: undefined });
      cell.assign(device.tensor([2], { dtype }));
      expect(await pending).toEqual({ now: [1], sum: 10, none: null, missing: undefined });
      cell.dispose();
    });

    it("refuses records with disposed tensors or what is none", async () => {
      const gone = x();
      gone.dispose();
      await expect(read({ a: x(), gone })).rejects.toThrow(coded("DISPOSED"));
      await expect(read({ a: 3 as never })).rejects.toThrow(coded("BAD_ARGUMENT", 'found number under "a"'));
      await expect(read({ a: { value: 3 } as never })).rejects.toThrow(coded("BAD_ARGUMENT"));
      await expect(read({ a: "x" as never })).rejects.toThrow(coded("BAD_ARGUMENT"));
    });
  });
});

describe("printing", () => {
  forEachDevice(({ device, dtype }) => {
    it("shows device, dtype, shape and how to read", () => {
      const x = device.zeros([2, 3], { dtype });
      const text = `Tensor ${dtype} [2, 3] on ${device.name} (read it with await t.toArray(), t.data() or t.item())`;
      expect(String(x)).toBe(text);
      expect(`${x}`).toBe(text);
      x.dispose();
      expect(x.toString()).toBe(`Tensor ${dtype} [2, 3] on ${device.name} (disposed)`);
    });

    it("throws where a tensor or a traced scalar is used as a number", () => {
      const x = device.tensor(2, { dtype });
      const uses = [
        (u: never) => u + 1,
        (u: never) => u * 2,
        (u: never) => u > 1,
        (u: never) => -u,
        (u: never) => Math.tanh(u),
        (u: never) => u + "",
      ];
      for (const use of uses) {
        expect(() => use(x as never)).toThrow(coded("BAD_ARGUMENT", "await t.item() reads it"));
        expect(() => x.map((u) => use(u as never) as never)).toThrow(coded("BAD_ARGUMENT", "Scalar"));
      }
      expect(() => x.map((u) => `${u}` as never)).toThrow(coded("BAD_ARGUMENT"));
    });
  });
});

describe("Tensor.is", () => {
  it("knows tensors of any copy of the package and nothing else", async () => {
    const device = await openDevice("cpu");
    expect(Tensor.is(device.ones([1]))).toBe(true);
    expect(Tensor.is({ [Symbol.for("robgrad.tensor")]: true })).toBe(true);
    for (const value of [null, undefined, 3, "x", {}, [], device]) expect(Tensor.is(value)).toBe(false);
    device.dispose();
  });
});

describe("using", () => {
  it("ends tensors, cells, generators and devices where the engine has Symbol.dispose", async () => {
    const { dispose } = Symbol as { readonly dispose?: symbol };
    expect(dispose).toBeDefined();
    const device = await openDevice("cpu");
    const owners = [device.ones([2]), device.cell(device.ones([2])), device.rng(0), device];
    for (const owner of owners) (owner as unknown as Record<symbol, () => void>)[dispose!]!();
    expect(() => device.ones([1])).toThrow(coded("DISPOSED"));
  });
});

describe("codedError and hasCode", () => {
  it("make and know errors of the kind that fits their code", () => {
    expect(codedError("DTYPE_MISMATCH", "m")).toBeInstanceOf(TypeError);
    expect(codedError("BAD_PLUGIN", "m")).toBeInstanceOf(TypeError);
    expect(codedError("SHAPE_MISMATCH", "m")).toBeInstanceOf(RangeError);
    expect(codedError("BAD_DATA", "m")).toBeInstanceOf(RangeError);
    expect(codedError("DISPOSED", "m").constructor).toBe(Error);
    const cause = new Error("why");
    const error = codedError("IO_FAILED", "m", { cause });
    expect(error.cause).toBe(cause);
    expect(hasCode(error)).toBe(true);
    expect(hasCode(error, "IO_FAILED")).toBe(true);
    expect(hasCode(error, "DISPOSED")).toBe(false);
    for (const other of [new Error("m"), { code: "IO_FAILED" }, null, "IO_FAILED"]) expect(hasCode(other)).toBe(false);
  });
});
