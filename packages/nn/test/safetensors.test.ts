import {
  adamw,
  BatchNorm,
  cosine,
  Linear,
  loadSafetensors,
  momentum,
  Parameter,
  relu,
  saveSafetensors,
  Sequential,
  squaredError,
  tanh,
  type Optimizer,
} from "@robgrad/nn";
import type { Variable } from "@robgrad/autograd";
import { sampleGradients } from "@robgrad/autograd";
import { capture, hasCode, openDevice, type Cell, type Device, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import fixtures from "./fixtures/safetensors-files.json" with { type: "json" };

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** A file with this header, written without our own code. */
function fileOf(header: unknown, elements: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + elements.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 8);
  bytes.set(elements, 8 + text.length);
  return bytes;
}

const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

describe("safetensors", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice("cpu");
  });
  afterAll(() => device.dispose());

  /** Cells for the tensors of the mixed fixture. */
  const mixedCells = (filled: boolean): Map<string, Cell> => {
    const dtypes = {
      scalar: "float32",
      double: "float64",
      count: "int32",
      mask: "bool",
      empty: "float32",
      größe: "float32",
    } as const;
    return new Map(
      Object.entries(fixtures.mixed.values).map(([name, { shape, flat }]) => {
        const dtype = dtypes[name as keyof typeof dtypes];
        const values = (flat as (number | boolean)[]).map((v) => (filled ? Number(v) : 0));
        return [name, device.cell(device.tensor(Float64Array.from(values), { shape, dtype }))];
      }),
    );
  };

  it("reads a model of PyTorch, whose outputs it then has", async () => {
    const rng = device.rng(3);
    const model = new Sequential(new Linear(4, 3, { rng }), tanh, new Linear(3, 2, { rng }));
    const metadata = loadSafetensors(model, bytesOf(fixtures.model.file), {
      rename: (path) => path.replace("W", "weight").replace("b", "bias"),
    });
    expect(metadata).toEqual({ format: "pt" });
    await expectClose(model.forward(device.tensor(fixtures.model.x)).value, fixtures.model.y, { absolute: 1e-6 });
  });

  it("reads every dtype and shape from bytes that are not aligned", async () => {
    const cells = mixedCells(false);
    const file = bytesOf(fixtures.mixed.file);
    const shifted = new Uint8Array(file.length + 1);
    shifted.set(file, 1);
    loadSafetensors(cells, shifted.subarray(1));
    for (const [name, { flat }] of Object.entries(fixtures.mixed.values)) {
      expect([...(await cells.get(name)!.value.data())], name).toEqual((flat as unknown[]).map(Number));
    }
  });

  it("writes the bytes that the safetensors package writes", async () => {
    expect(await saveSafetensors(mixedCells(true))).toEqual(bytesOf(fixtures.mixed.file));
  });

  it.each(Object.entries(fixtures.candidates))(
    "judges as the safetensors package does: %s",
    async (_, { file, names }) => {
      const target = new Map(
        (names ?? ["a"]).map((name) => [
          name,
          device.cell(device.zeros([name === "a" && names?.length !== 2 ? 2 : 1])),
        ]),
      );
      const load = () => loadSafetensors(target, bytesOf(file));
      if (names !== null) expect(load).not.toThrow();
      else expect(load).toThrow(expect.objectContaining({ code: "BAD_DATA" }));
    },
  );

  it.each<[string, unknown, Uint8Array, RegExp]>([
    [
      "a value that is not finite",
      { a: { dtype: "F32", shape: [2], data_offsets: [0, 8] } },
      floats(1, NaN),
      /a to hold finite numbers, found NaN at element 1/,
    ],
    [
      "a bool that is neither 0 nor 1",
      { a: { dtype: "BOOL", shape: [2], data_offsets: [0, 2] } },
      new Uint8Array([1, 2]),
      /a to hold 0 and 1, found 2 at element 1/,
    ],
    [
      "a dtype that robgrad has not",
      { a: { dtype: "BF16", shape: [2], data_offsets: [0, 4] } },
      new Uint8Array(4),
      /dtype of a to be one of F64, F32, I32, U32, BOOL, found BF16/,
    ],
    [
      "another dtype",
      { a: { dtype: "F64", shape: [2], data_offsets: [0, 16] } },
      new Uint8Array(16),
      /expected a to be float32, found float64/,
    ],
    [
      "another shape",
      { a: { dtype: "F32", shape: [2, 1], data_offsets: [0, 8] } },
      floats(1, 2),
      /expected a to have shape \[2\], found \[2, 1\]/,
    ],
    [
      "a missing and another name",
      { b: { dtype: "F32", shape: [2], data_offsets: [0, 8] } },
      floats(1, 2),
      /found a missing and b besides/,
    ],
    [
      "an unknown field",
      { a: { dtype: "F32", shape: [2], data_offsets: [0, 8], order: "F" } },
      floats(1, 2),
      /alone, found order/,
    ],
  ])("refuses %s", (_, header, elements, message) => {
    expect(() => loadSafetensors({ a: device.cell(device.ones([2])) }, fileOf(header, elements))).toThrow(message);
  });

  it("assigns nothing of a file whose last tensor is wrong", async () => {
    const target = { a: device.cell(device.ones([1])), b: device.cell(device.ones([1])) };
    const header = {
      a: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
      b: { dtype: "F32", shape: [1], data_offsets: [4, 8] },
    };
    expect(() => loadSafetensors(target, fileOf(header, floats(5, Infinity)))).toThrow(/b to hold finite numbers/);
    expect(await target.a.value.toArray()).toEqual([1]);
  });

  it("holds what a model does not train, such as running statistics", async () => {
    const [trained, fresh] = [0, 1].map(() => new Sequential(new BatchNorm(2, { device }))) as [Sequential, Sequential];
    const x = device.tensor([
      [1, 2],
      [3, -4],
      [5, 0],
    ]);
    trained.forward(x, { training: true });
    loadSafetensors(fresh, await saveSafetensors(trained));
    const [after, before] = [fresh, trained].map((model) => model.forward(x));
    expect(await after!.toArray()).toEqual(await before!.toArray());
    // The mean of the batch, (3, −2/3), at a share of a tenth.
    const { runningMean } = fresh.layers[0] as BatchNorm;
    await expectClose(runningMean.value, [0.3, -2 / 30], { relative: 1e-6 });
  });

  it("takes a part of a file where others are allowed", async () => {
    const target = { a: device.cell(device.ones([1])) };
    const header = {
      a: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
      b: { dtype: "F32", shape: [1], data_offsets: [4, 8] },
    };
    loadSafetensors(target, fileOf(header, floats(5, 6)), { allowOthers: true });
    expect(await target.a.value.toArray()).toEqual([5]);
  });

  it("refuses what has no cells, names that clash, and values that are not finite, when it saves", async () => {
    const cell = device.cell(device.ones([1]));
    const bad = device.cell(device.tensor([1, Infinity], { allowNonFinite: true }));
    await expect(saveSafetensors({ a: 3 } as never)).rejects.toThrow(/found number under a/);
    await expect(saveSafetensors({ a: cell, b: cell }, { rename: () => "same" })).rejects.toThrow(
      /name of its own for b, found "same"/,
    );
    await expect(saveSafetensors({ "a.b": cell, a: { b: cell } })).rejects.toThrow(/found a.b twice/);
    await expect(saveSafetensors({ bad })).rejects.toThrow(/bad to be finite, found Infinity at element 1/);
    await expect(saveSafetensors({ cell }, { metadata: { epoch: 3 as never } })).rejects.toThrow(/metadata to be text/);
    expect(() => loadSafetensors({ cell }, "file" as never)).toThrow(/expected the bytes of a file/);
  });

  it("refuses to load inside a captured step, which would bake the values in", async () => {
    const cell = device.cell(device.ones([1]));
    const file = await saveSafetensors({ cell });
    const step = capture((x: Tensor) => (loadSafetensors({ cell }, file), x));
    expect(() => step(device.ones([1]))).toThrow(/expected to be called between steps/);
  });

  it("keeps what it is given, names and numbers of any kind", async () => {
    const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(
          fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__" && name !== ""),
          fc.array(finite, { maxLength: 5 }),
        ),
        fc.dictionary(fc.string(), fc.string()),
        async (arrays, metadata) => {
          const cells = (values: (v: number[]) => number[]) =>
            new Map(
              Object.entries(arrays).map(([name, v]) => [
                name,
                device.cell(device.tensor(Float32Array.from(values(v)))),
              ]),
            );
          const [from, to] = [cells((v) => v), cells((v) => v.map(() => 0))];
          const file = await saveSafetensors(from, { metadata });
          expect(Object.entries(loadSafetensors(to, file))).toEqual(Object.entries(metadata));
          for (const [name, cell] of to) expect(await cell.value.data()).toEqual(await from.get(name)!.value.data());
        },
      ),
      { numRuns: 100 },
    );
  });

  it("reads damaged files as valid ones or refuses them with BAD_DATA, and then changes nothing", async () => {
    const cells = { a: device.cell(device.ones([3])), b: device.cell(device.ones([2, 2])) };
    const file = await saveSafetensors(cells, { metadata: { k: "v" } });
    const damage = fc.oneof(
      fc.record({ kind: fc.constant("flip"), at: fc.nat(file.length - 1), to: fc.nat(255) }),
      fc.record({ kind: fc.constant("cut"), at: fc.nat(file.length - 1), to: fc.nat(255) }),
      fc.record({ kind: fc.constant("insert"), at: fc.nat(file.length - 1), to: fc.nat(255) }),
    );
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), async (damages) => {
        let bytes = [...file];
        for (const { kind, at, to } of damages) {
          if (kind === "flip") bytes[at % Math.max(1, bytes.length)] = to;
          else if (kind === "cut") bytes = bytes.slice(0, at);
          else bytes.splice(at, 0, to);
        }
        const before = await Promise.all(Object.values(cells).map((cell) => cell.value.data()));
        try {
          loadSafetensors(cells, Uint8Array.from(bytes));
        } catch (error) {
          refused++;
          expect(
            ["BAD_DATA", "SHAPE_MISMATCH", "DTYPE_MISMATCH"].some((code) => hasCode(error, code as never)),
            String(error),
          ).toBe(true);
          const after = await Promise.all(Object.values(cells).map((cell) => cell.value.data()));
          expect(after).toEqual(before);
        }
      }),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  it("refuses any bytes that are no file", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(() => loadSafetensors({ a: device.cell(device.ones([1])) }, bytes)).toThrow(
          expect.objectContaining({ code: "BAD_DATA" }),
        );
      }),
    );
  });
});

forEachDevice(({ device, dtype }) => {
  /** A model with dropout of its own making, what trains it, and all of their state. */
  function training(optimizer: Optimizer, seed: number, captured: boolean) {
    const rng = device.rng(seed);
    const noise = device.rng(seed + 1);
    const options = { rng, dtype };
    const dropout = (x: Variable) => x.mul(noise.uniform(x.shape, { dtype }).greater(0.25).cast(dtype));
    const model = new Sequential(new Linear(3, 5, options), relu, dropout, new Linear(5, 2, options));
    const eager = (x: Tensor, y: Tensor) => {
      const gradients = sampleGradients(squaredError(model.forward(x), y), model.parameters());
      optimizer.update(new Map([...gradients].map(([p, g]) => [p, g.mean().reshape(g.shape)])));
    };
    const step = captured ? capture(eager) : eager;
    return {
      model,
      step,
      state: () => ({ model, optimizer: optimizer.state(model), noise }),
      dispose() {
        (step as { dispose?(): void }).dispose?.();
        for (const owner of [model, optimizer, rng, noise]) owner.dispose();
      },
    };
  }

  it.each([
    ["adamw with a schedule", () => adamw({ stepSize: cosine({ from: 0.05, steps: 40 }) }), false],
    ["adamw with a schedule, captured", () => adamw({ stepSize: cosine({ from: 0.05, steps: 40 }) }), true],
    ["Nesterov's momentum, captured", () => momentum({ stepSize: 0.05, nesterov: true }), true],
  ])("goes on bit by bit where it was saved: %s", async (_, make, captured) => {
    const x = device.tensor(
      [
        [1, 2, -1],
        [0.5, -1, 0.25],
        [0, 1, 1],
        [-2, 0.5, 1],
      ],
      { dtype },
    );
    const y = device.tensor(
      [
        [1, 0],
        [0, 1],
        [1, 1],
        [-1, 2],
      ],
      { dtype },
    );
    const whole = training(make(), 1, captured);
    for (let t = 0; t < 12; t++) whole.step(x, y);
    const file = await saveSafetensors(whole.state());
    for (let t = 0; t < 12; t++) whole.step(x, y);

    // Into fresh objects of another seed, and into ones that have gone elsewhere since.
    const fresh = training(make(), 7, captured);
    const used = training(make(), 9, captured);
    for (let t = 0; t < 5; t++) used.step(x, y);
    const expected = await saveSafetensors(whole.state());
    expect(expected).not.toEqual(file);
    for (const resumed of [fresh, used]) {
      loadSafetensors(resumed.state(), file);
      for (let t = 0; t < 12; t++) resumed.step(x, y);
      expect(await saveSafetensors(resumed.state())).toEqual(expected);
    }
    for (const each of [whole, fresh, used]) each.dispose();
  });

  it("saves the values at the call", async () => {
    const w = new Parameter(device.ones([2], { dtype }), "w");
    const saved = saveSafetensors({ w: w.cell });
    w.assign(device.full([2], 3, { dtype }));
    loadSafetensors({ w: w.cell }, await saved);
    expect(await w.toArray()).toEqual([1, 1]);
    w.dispose();
  });
});
