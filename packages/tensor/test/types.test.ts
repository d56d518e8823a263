import { describe, expectTypeOf, it } from "vitest";
import {
  add,
  argmax,
  clamp,
  cumsum,
  gather,
  iterate,
  matmul,
  max,
  not,
  permute,
  read,
  reshape,
  sin,
  slice,
  sum,
  tidy,
  topk,
  transpose,
  variance,
  where,
  type AxisOptions,
  type Cell,
  type Device,
  type DeviceRandom,
  type ElementwiseMethods,
  type Nested,
  type Scalar,
  type Tensor,
} from "@robgrad/tensor";

// Checked by the compiler; nothing here runs.

/** Something else with the methods of a tensor, as a Variable is. */
interface Wrapped extends ElementwiseMethods<Wrapped> {
  readonly value: Tensor;
  sum(options?: AxisOptions): Wrapped;
  matmul(other: Wrapped): Wrapped;
  reshape(shape: readonly number[]): Wrapped;
}

const check = (_: (x: Tensor, u: Scalar, v: Wrapped, device: Device) => unknown) => {};

describe("functions beside methods", () => {
  it("return the kind of their first argument", () => {
    check((x, u, v) => {
      expectTypeOf(sin(x)).toEqualTypeOf<Tensor>();
      expectTypeOf(sin(u)).toEqualTypeOf<Scalar>();
      expectTypeOf(sin(v)).toEqualTypeOf<Wrapped>();
      expectTypeOf(add(x, 1)).toEqualTypeOf<Tensor>();
      expectTypeOf(add(x, x)).toEqualTypeOf<Tensor>();
      expectTypeOf(add(v, v)).toEqualTypeOf<Wrapped>();
      expectTypeOf(add(u, 2)).toEqualTypeOf<Scalar>();
      expectTypeOf(clamp(x, -1, x)).toEqualTypeOf<Tensor>();
      expectTypeOf(not(x)).toEqualTypeOf<Tensor>();
      expectTypeOf(sum(x, { axis: 0 })).toEqualTypeOf<Tensor>();
      expectTypeOf(sum(v, { axis: [0, -1], keepdims: true })).toEqualTypeOf<Wrapped>();
      expectTypeOf(max(x)).toEqualTypeOf<Tensor>();
      expectTypeOf(variance(x, { axis: 0, correction: 1 })).toEqualTypeOf<Tensor>();
      expectTypeOf(matmul(x, x)).toEqualTypeOf<Tensor>();
      expectTypeOf(matmul(v, v)).toEqualTypeOf<Wrapped>();
      expectTypeOf(cumsum(x, { axis: 0 })).toEqualTypeOf<Tensor>();
      expectTypeOf(reshape(v, [2, -1])).toEqualTypeOf<Wrapped>();
      expectTypeOf(permute(x)).toEqualTypeOf<Tensor>();
      expectTypeOf(transpose(x)).toEqualTypeOf<Tensor>();
      expectTypeOf(slice(x, [0, 2], null, [1])).toEqualTypeOf<Tensor>();
      expectTypeOf(gather(x, x, { axis: 1 })).toEqualTypeOf<Tensor>();
      expectTypeOf(argmax(x, { axis: 1 })).toEqualTypeOf<Tensor>();
      expectTypeOf(topk(x, 2)).toEqualTypeOf<{ readonly values: Tensor; readonly indices: Tensor }>();
    });
  });

  it("refuse what has no such method, and other kinds beside it", () => {
    check((x, u, v) => {
      // @ts-expect-error A number has no methods.
      sin(1);
      // @ts-expect-error A traced scalar has no axes.
      sum(u);
      // @ts-expect-error A tensor and something around one do not add.
      add(x, v);
      // @ts-expect-error Two bools are wanted.
      x.and(1);
      // @ts-expect-error Not an axis.
      sum(x, { axis: "0" });
      // @ts-expect-error There is no matrix of numbers.
      matmul(x, 2);
    });
  });
});

describe("where", () => {
  it("gives what its condition is", () => {
    check((x, u) => {
      expectTypeOf(where(x, 1, x)).toEqualTypeOf<Tensor>();
      expectTypeOf(where(u, 1, 0)).toEqualTypeOf<Scalar>();
      // @ts-expect-error A scalar does not choose between tensors.
      where(u, x, 0);
    });
  });
});

describe("tidy", () => {
  it("returns what its work returns, and refuses Promises", () => {
    check((x) => {
      expectTypeOf(tidy(() => x)).toEqualTypeOf<Tensor>();
      expectTypeOf(tidy(() => ({ a: [x], n: 3 }))).toEqualTypeOf<{ a: Tensor[]; n: number }>();
      expectTypeOf(tidy(() => {})).toEqualTypeOf<void>();
      // @ts-expect-error The scope would end before the work does.
      void tidy(async () => x);
      // @ts-expect-error As with async.
      void tidy(() => x.toArray());
    });
  });
});

describe("iterate", () => {
  it("keeps a state's type: one tensor or a list", () => {
    check((x) => {
      expectTypeOf(iterate(x, (y) => y.mul(2), { maximum: 3 })).toEqualTypeOf<Tensor>();
      const pair: readonly [Tensor, Tensor] = [x, x];
      const step = ([a, b]: readonly [Tensor, Tensor]) => [b, a] as const;
      expectTypeOf(iterate(pair, step, { maximum: 3 })).toEqualTypeOf<readonly [Tensor, Tensor]>();
    });
  });
});

describe("read", () => {
  it("keeps the names of a record", () => {
    check(async (x, _, v) => {
      expectTypeOf(await read({ x, v, none: null, missing: undefined })).toEqualTypeOf<{
        x: Nested;
        v: Nested;
        none: null;
        missing: undefined;
      }>();
      // @ts-expect-error Numbers are read already.
      await read({ n: 3 });
    });
  });
});

describe("using", () => {
  it("takes every owner", () => {
    expectTypeOf<Tensor>().toExtend<Disposable>();
    expectTypeOf<Cell>().toExtend<Disposable>();
    expectTypeOf<Device>().toExtend<Disposable>();
    expectTypeOf<DeviceRandom>().toExtend<Disposable>();
  });
});
