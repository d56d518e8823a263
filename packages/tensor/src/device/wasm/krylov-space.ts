import type { DType } from "../../dtype.js";
import { scaleOf, type SpaceOf } from "../cpu/eigh.js";
import type { KrylovSpace } from "../cpu/largest-eigenpairs.js";
import { binary, integer, ModuleBuilder, unary, type Code, type FunctionBody, type Variable } from "./assembler.js";
import { f32x4, f64x2 } from "./lanes.js";
import type { Block, LinearMemory } from "./memory.js";
import { elementBytes } from "./operands.js";

/** Functions of addresses of float64 numbers; vectors and rows are padded with zeros to four numbers, and so is the number of rows. */
interface Functions {
  /** The largest magnitude of so many vectors of four numbers or two of the matrix as it is given, in every lane apart; NaN where one is not finite. */
  largest(a: number, count: number, lanes: number): void;
  /** to ← factor · (A + Aᵀ), from the matrix as it is given. */
  symmetric(a: number, to: number, factor: number, n: number, stride: number): void;
  /** y ← A x, for a number of rows of four vectors of two. */
  image(a: number, x: number, y: number, fours: number): void;
  inner(x: number, y: number, fours: number): number;
  /** x ← x + share · y */
  add(x: number, y: number, share: number, fours: number): void;
  /** x ← factor · x */
  scale(x: number, factor: number, fours: number): void;
}

const numberBytes = 8;
/** That are transposed together. */
const columns = 8;

type Seven = [Variable, Variable, Variable, Variable, Variable, Variable, Variable];

const vector =
  (base: Code, offset: number): Code =>
  (f) =>
    f.load("v128.load", { base, offset });

const sumOf = (f: FunctionBody, pair: Code): Code => {
  const kept = f.let("v128", pair);
  const lane =
    (k: number): Code =>
    (g) => {
      kept(g);
      g.lane("f64x2.extract_lane", k);
    };
  return binary("f64.add", lane(0), lane(1));
};

function moduleOf(shared: boolean, wide: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder({ shared });
  const zero = f64x2.constant(0);
  const [floats, bytes] = [wide ? f64x2 : f32x4, wide ? 8 : 4];
  module.export(
    "largest",
    module.function(["i32", "i32", "i32"], [], (f, a, count, lanes) => {
      const [most, none] = [f.variable("v128"), f.variable("v128")];
      f.set(most, zero);
      f.set(none, zero);
      f.repeatTimes(count.get, () => {
        f.scope(() => {
          const value = f.let("v128", vector(a.get, 0));
          f.set(most, floats.pmax(most.get, floats.abs(value)));
          f.set(none, floats.madd(value, zero, none.get));
        });
        f.advance(a, 16);
      });
      // 0 of what is finite, else NaN.
      f.store("v128.store", { base: lanes.get, offset: 0 }, floats.add(most.get, none.get));
    }),
  );
  module.export(
    "symmetric",
    module.function(["i32", "i32", "f64", "i32", "i32"], [], (f, a, to, factor, n, stride) => {
      const [down, across, along, below, row, left, first] = Array.from({ length: 7 }, () =>
        f.variable("i32"),
      ) as Seven;
      const rowBytes = f.let("i32", binary("i32.mul", n.get, integer(bytes)));
      const number = (at: Variable): Code => {
        const load: Code = (g) => g.load(wide ? "f64.load" : "f32.load", { base: at.get, offset: 0 });
        return binary("f64.mul", wide ? load : unary("f64.promote_f32", load), factor.get);
      };
      const place = (base: Variable, i: Variable, step: Code, j: Variable, size: number): Code =>
        binary(
          "i32.add",
          base.get,
          binary("i32.add", binary("i32.mul", i.get, step), binary("i32.mul", j.get, integer(size))),
        );
      // Some columns at a time, whose lines stay near until all of them are read and written.
      f.set(first, integer(0));
      f.repeatTimes(binary("i32.div_u", binary("i32.add", n.get, integer(columns - 1)), integer(columns)), () => {
        f.set(row, first.get);
        f.repeatTimes(binary("i32.sub", n.get, first.get), () => {
          f.set(across, place(a, row, rowBytes, first, bytes));
          f.set(down, place(a, first, rowBytes, row, bytes));
          f.set(along, place(to, row, stride.get, first, numberBytes));
          f.set(below, place(to, first, stride.get, row, numberBytes));
          f.set(left, binary("i32.sub", binary("i32.add", row.get, integer(1)), first.get));
          f.if(binary("i32.gt_s", left.get, integer(columns)), () => f.set(left, integer(columns)));
          f.repeatTimes(left.get, () => {
            f.scope(() => {
              const sum = f.let("f64", binary("f64.add", number(across), number(down)));
              f.store("f64.store", { base: along.get, offset: 0 }, sum);
              f.store("f64.store", { base: below.get, offset: 0 }, sum);
            });
            f.advance(across, bytes);
            f.set(down, binary("i32.add", down.get, rowBytes));
            f.advance(along, numberBytes);
            f.set(below, binary("i32.add", below.get, stride.get));
          });
          f.advance(row, 1);
        });
        f.advance(first, columns);
      });
    }),
  );
  module.export(
    "image",
    module.function(["i32", "i32", "i32", "i32"], [], (f, a, x, y, fours) => {
      const stride = f.let("i32", binary("i32.mul", fours.get, integer(4 * numberBytes)));
      const [at, sums] = [f.variable("i32"), [0, 1, 2, 3].map(() => f.variable("v128"))];
      f.repeatTimes(fours.get, () => {
        f.scope(() => {
          f.set(at, x.get);
          for (const sum of sums) f.set(sum, zero);
          const rows = [a.get];
          for (let k = 1; k < 4; k++) rows.push(f.let("i32", binary("i32.add", rows[k - 1] as Code, stride)));
          // How far along the rows.
          const along = f.variable("i32");
          f.set(along, integer(0));
          f.repeatTimes(fours.get, () => {
            for (const offset of [0, 16]) {
              f.scope(() => {
                const factor = f.let("v128", vector(at.get, offset));
                sums.forEach((sum, k) => {
                  const element = vector(binary("i32.add", rows[k] as Code, along.get), offset);
                  f.set(sum, f64x2.madd(element, factor, sum.get));
                });
              });
            }
            f.advance(at, 4 * numberBytes);
            f.advance(along, 4 * numberBytes);
          });
          sums.forEach((sum, k) => f.store("f64.store", { base: y.get, offset: k * numberBytes }, sumOf(f, sum.get)));
          f.advance(y, 4 * numberBytes);
          f.set(a, binary("i32.add", rows[3] as Code, stride));
        });
      });
    }),
  );
  module.export(
    "inner",
    module.function(["i32", "i32", "i32"], ["f64"], (f, x, y, fours) => {
      const sums = [0, 1].map(() => f.variable("v128"));
      for (const sum of sums) f.set(sum, zero);
      f.repeatTimes(fours.get, () => {
        sums.forEach((sum, k) => f.set(sum, f64x2.madd(vector(x.get, 16 * k), vector(y.get, 16 * k), sum.get)));
        f.advance(x, 4 * numberBytes);
        f.advance(y, 4 * numberBytes);
      });
      const [even, odd] = sums.map(({ get }) => get) as [Code, Code];
      sumOf(f, f64x2.add(even, odd))(f);
    }),
  );
  module.export(
    "add",
    module.function(["i32", "i32", "f64", "i32"], [], (f, x, y, share, fours) => {
      const shares = f.let("v128", unary("f64x2.splat", share.get));
      f.repeatTimes(fours.get, () => {
        for (const offset of [0, 16]) {
          const sum = f64x2.madd(vector(y.get, offset), shares, vector(x.get, offset));
          f.store("v128.store", { base: x.get, offset }, sum);
        }
        f.advance(x, 4 * numberBytes);
        f.advance(y, 4 * numberBytes);
      });
    }),
  );
  module.export(
    "scale",
    module.function(["i32", "f64", "i32"], [], (f, x, factor, fours) => {
      const factors = f.let("v128", unary("f64x2.splat", factor.get));
      f.repeatTimes(fours.get, () => {
        for (const offset of [0, 16])
          f.store("v128.store", { base: x.get, offset }, f64x2.mul(vector(x.get, offset), factors));
        f.advance(x, 4 * numberBytes);
      });
    }),
  );
  return module.finish();
}

/** Compiles a module and links it to a memory. */
export type Instantiate = (memory: LinearMemory, bytes: Uint8Array<ArrayBuffer>) => WebAssembly.Exports;

const compiled = new WeakMap<LinearMemory, Map<DType, Functions>>();

function functionsOf(memory: LinearMemory, dtype: DType, instantiate: Instantiate): Functions {
  let known = compiled.get(memory);
  if (known === undefined) compiled.set(memory, (known = new Map<DType, Functions>()));
  let functions = known.get(dtype);
  if (functions === undefined) {
    functions = instantiate(memory, moduleOf(memory.shared, dtype === "float64")) as unknown as Functions;
    known.set(dtype, functions);
  }
  return functions;
}

/**
 * A matrix that lies row by row, its vectors in the working memory of its device: there is room for as many as half of all
 * dimensions and some eigenvectors take.
 */
export function linearSpace(memory: LinearMemory, instantiate: Instantiate): SpaceOf<number> {
  return ({ shape, strides, dtype, offset, storage }, k) => {
    const [, n] = shape as [number, number];
    if (strides[1] !== n || strides[2] !== 1) return null;
    const functions = functionsOf(memory, dtype, instantiate);
    const fours = Math.ceil(n / 4);
    const padded = 4 * fours;
    const [matrixBytes, vectorBytes] = [padded * padded * numberBytes, padded * numberBytes];
    const start = memory.scratch(matrixBytes + 2 * n * vectorBytes);
    let end = start + matrixBytes;
    const numbers = (address: number, length: number) => new Float64Array(memory.memory.buffer, address, length);

    const block = storage.buffer as Block;
    const from = offset + k * (strides[0] as number);
    const source = block.address + from * elementBytes(dtype);
    const lanes = 16 / elementBytes(dtype);
    functions.largest(source, Math.floor((n * n) / lanes), end);
    const all = memory.elements(block);
    const some = dtype === "float64" ? numbers(end, 2) : new Float32Array(memory.memory.buffer, end, 4);
    const rest = all.subarray(from + n * n - ((n * n) % lanes), from + n * n);
    const largest = Math.max(...some, ...rest.map(Math.abs));
    if (!(largest < Infinity)) return null;
    const scale = scaleOf(largest);
    if (padded !== n) numbers(start, padded * padded).fill(0);
    functions.symmetric(source, start, 0.5 / scale, n, vectorBytes);

    const free: number[] = [];
    const allocate = (): number => {
      const known = free.pop();
      if (known !== undefined) return known;
      end += vectorBytes;
      return end - vectorBytes;
    };
    const matrix: KrylovSpace<number> = {
      n,
      vector(values) {
        const x = allocate();
        const place = numbers(x, padded);
        place.fill(0);
        place.set(values);
        return x;
      },
      image(x) {
        const y = allocate();
        functions.image(start, x, y, fours);
        return y;
      },
      inner: (x, y) => functions.inner(x, y, fours),
      add: (x, share, y) => functions.add(x, y, share, fours),
      scale: (x, factor) => functions.scale(x, factor, fours),
      values: (x) => numbers(x, n),
      free: (x) => free.push(x),
    };
    return { matrix, scale };
  };
}
