import { describe, expect, it } from "vitest";
import {
  binary,
  Bytes,
  integer,
  ModuleBuilder,
  type Code,
  type FunctionBody,
} from "../../src/device/wasm/assembler.js";
import { bodyFunctions } from "../../src/scalar/operations.js";

const host = { sin: Math.sin, cos: Math.cos, tan: Math.tan, pow: Math.pow, remainder: bodyFunctions.remainder };

function run(module: ModuleBuilder, memory = new WebAssembly.Memory({ initial: 1 })): (...args: number[]) => number {
  const bytes = module.finish();
  expect(WebAssembly.validate(bytes)).toBe(true);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { host: { memory, ...host } });
  return exports["run"] as (...args: number[]) => number;
}

function single(
  parameters: number,
  body: (f: FunctionBody, parameters: readonly Code[]) => void,
): (...args: number[]) => number {
  const module = new ModuleBuilder();
  const types = Array.from({ length: parameters }, () => "i32" as const);
  module.export(
    "run",
    module.function(types, ["i32"], (f, ...variables) =>
      body(
        f,
        variables.map(({ get }) => get),
      ),
    ),
  );
  return run(module);
}

describe("LEB128", () => {
  it.each([
    [0, [0x00]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    [624485, [0xe5, 0x8e, 0x26]],
    [2 ** 32 - 1, [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])("encodes unsigned %d", (value, expected) => {
    const bytes = new Bytes();
    bytes.unsigned(value);
    expect([...bytes.view()]).toEqual(expected);
  });

  it.each([
    [0, [0x00]],
    [63, [0x3f]],
    [64, [0xc0, 0x00]],
    [-1, [0x7f]],
    [-123456, [0xc0, 0xbb, 0x78]],
    [2 ** 31 - 1, [0xff, 0xff, 0xff, 0xff, 0x07]],
    [-(2 ** 31), [0x80, 0x80, 0x80, 0x80, 0x78]],
  ])("encodes signed %d", (value, expected) => {
    const bytes = new Bytes();
    bytes.signed(value);
    expect([...bytes.view()]).toEqual(expected);
  });
});

describe("FunctionBody", () => {
  it("computes with parameters and constants", () => {
    const f = single(2, (g, [a, b]) => binary("i32.add", binary("i32.mul", a as Code, b as Code), integer(-7))(g));
    expect(f(6, 9)).toBe(47);
  });

  it("repeats a body, and skips it for 0", () => {
    for (const count of [0, 1, 2, 1000]) {
      const f = single(1, (g, [a]) => {
        const total = g.variable("i32");
        g.set(total, a as Code);
        g.repeat(count, () => g.advance(total, 3));
        total.get(g);
      });
      expect(f(5)).toBe(5 + 3 * count);
    }
  });

  it("repeats a body as often as a value says when it is reached", () => {
    const f = single(1, (g, [a]) => {
      const total = g.variable("i32");
      g.set(total, integer(1));
      g.repeatTimes(a as Code, () => g.advance(total, 3));
      total.get(g);
    });
    for (const count of [0, 1, 2, 1000]) expect(f(count)).toBe(1 + 3 * count);
  });

  it("uses locals of a scope again after it, and none of another type", () => {
    const seen: number[] = [];
    single(0, (g) => {
      for (let k = 0; k < 3; k++) {
        g.scope(() => {
          const a = g.variable("i32");
          const b = g.variable("v128");
          seen.push(a.index, b.index);
        });
      }
      g.i32(0);
    });
    expect(new Set(seen).size).toBe(2);
  });

  it("branches", () => {
    const f = single(1, (g, [a]) => {
      const result = g.variable("i32");
      g.if(
        a as Code,
        () => g.set(result, integer(1)),
        () => g.set(result, integer(2)),
      );
      g.block(() => {
        g.branchIf(0, a as Code);
        g.set(result, integer(3));
      });
      result.get(g);
    });
    expect([f(0), f(1)]).toEqual([3, 1]);
  });

  it("reads and writes memory at constant and computed addresses", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const numbers = new Int32Array(memory.buffer);
    numbers.set([10, 20, 30, 40, 50], 16);
    const module = new ModuleBuilder();
    const index = module.function(["i32"], ["i32"], (f, p) => {
      f.store("v128.store", { base: null, offset: 256 }, (g) => g.load("v128.load", { base: p.get, offset: 4 }));
      f.load("i32.load", { base: null, offset: 64 });
    });
    module.export("run", index);
    expect(run(module, memory)(64)).toBe(10);
    expect([...numbers.subarray(64, 68)]).toEqual([20, 30, 40, 50]);
  });
});

describe("ModuleBuilder", () => {
  it("makes a named function once", () => {
    const module = new ModuleBuilder();
    let made = 0;
    const double = () =>
      module.named("double", ["i32"], ["i32"], (f, a) => {
        made++;
        binary("i32.add", a.get, a.get)(f);
      });
    module.export(
      "run",
      module.function(["i32"], ["i32"], (f, a) => {
        f.call(double(), a.get);
        f.index(0x10, double());
      }),
    );
    expect(run(module)(5)).toBe(20);
    expect(made).toBe(1);
  });
});
