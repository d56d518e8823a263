import { capture, generator, read, type Device, type Nested, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it, vi } from "vitest";
import { gru, lstm, sampleGradients, Variable, type LSTMResult } from "../src/index.js";
import { checkBackward, checkDoubleBackward, checkSampleGradients, checkTangent } from "../src/testing.js";
import graves from "./fixtures/graves-lstm.json" with { type: "json" };
import recurrent from "./fixtures/recurrent.json" with { type: "json" };

const [N, T, D, H] = [3, 4, 2, 3];

type Kind = "lstm" | "diagonal" | "full" | "gru";
const kinds: readonly Kind[] = ["lstm", "diagonal", "full", "gru"];

/** Shapes of x, the states and the parameters. */
function shapesOf(kind: Kind): readonly (readonly number[])[] {
  const data = [[N, T, D], [N, H], ...(kind === "gru" ? [] : [[N, H]])];
  const gates = kind === "gru" ? 3 : 4;
  const shared = [[D, gates * H], [H, gates * H], [gates * H]];
  if (kind === "gru") return [...data, ...shared, [H]];
  const peephole = kind === "lstm" ? [] : kind === "full" ? [H, H] : [H];
  return [...data, ...shared, ...(kind === "lstm" ? [] : [peephole, peephole, peephole])];
}

const drawn = (device: Device, kind: Kind, dtype: "float32" | "float64") =>
  shapesOf(kind).map((shape, k) => device.tensor(generator(k + 1).normal(shape).values, { shape, dtype }));

type Inputs = readonly (Variable | Tensor)[];

interface Options {
  readonly mask?: Tensor;
  readonly fused?: boolean;
}

/** A layer of any kind on inputs in the order of `shapesOf`. */
function layer(kind: Kind, inputs: Inputs, options: Options = {}): LSTMResult {
  if (kind === "gru") {
    const [x, h, U, W, b, d] = inputs as [Variable, ...Variable[]] & Variable[];
    const { outputs, h: last } = gru(
      x as Variable,
      { U: U as Variable, W: W as Variable, b: b as Variable, d: d as Variable },
      { h: h as Variable, ...options },
    );
    return { outputs, h: last, c: last };
  }
  const [x, h, c, U, W, b, ...V] = inputs as Variable[];
  const parameters = { U: U as Variable, W: W as Variable, b: b as Variable };
  return lstm(
    x as Variable,
    V.length === 0 ? parameters : { ...parameters, V: V as unknown as [Variable, Variable, Variable] },
    { h: h as Variable, c: c as Variable, ...options },
  );
}

/** One number per sequence that depends on all outputs and on the last states. */
function losses({ outputs, h, c }: LSTMResult): Variable {
  const each = (y: Variable) => y.square().add(y.sin()).sum({ axis: 1 });
  return each(outputs.reshape([N, -1]))
    .add(each(h))
    .add(each(c.mul(2)));
}

const lengths = [4, 0, 2];
const maskOf = (device: Device, of: readonly number[] = lengths, steps = T) =>
  device.tensor(of.map((length) => Array.from({ length: steps }, (_, t) => t < length)));

forEachDevice(
  ({ device }) => {
    describe.each([true, false])("fused: %s", (fused) => {
      it.each(["diagonal_cell", "diagonal_unrolled5"] as const)(
        "finds the numbers of the Graves fixture %s",
        async (name) => {
          const { params, x, h0, c0, R, forward, loss, grads } = graves[name];
          const joined = (letter: "U" | "W" | "b", from: Readonly<Record<string, Nested>>): Tensor => {
            const gates = ["i", "f", "c", "o"].map((gate) => from[`${letter}_${gate}`] as number[] | number[][]);
            if (letter === "b") return device.tensor(gates.flat() as number[], { dtype: "float64" });
            const rows = (gates[0] as number[][]).map((_, row) =>
              gates.flatMap((gate) => (gate as number[][])[row] as number[]),
            );
            return device.tensor(rows, { dtype: "float64" });
          };
          const float64 = (values: Nested) => new Variable(device.tensor(values as never, { dtype: "float64" }));
          const [U, W, b] = (["U", "W", "b"] as const).map((letter) => new Variable(joined(letter, params))) as [
            Variable,
            Variable,
            Variable,
          ];
          const V = [params.V_i, params.V_f, params.V_o].map(float64) as [Variable, Variable, Variable];
          const [sequence, h, c] = [x, h0, c0].map(float64) as [Variable, Variable, Variable];
          // Fixtures are time-first.
          const found = lstm(sequence.permute([1, 0, 2]), { U, W, b, V }, { h, c, fused });
          const total = found.h.mul(device.tensor(R, { dtype: "float64" })).sum();
          total.backward();
          const near = { relative: 1e-9, absolute: 1e-9 };
          await expectClose(found.outputs.value.permute([1, 0, 2]), forward.h, near);
          await expectClose(found.c.value, forward.c.at(-1) as Nested, near);
          await expectClose(total.value, loss, near);
          for (const [variable, letter] of [
            [U, "U"],
            [W, "W"],
            [b, "b"],
          ] as const)
            await expectClose(variable.grad!.value, (await joined(letter, grads.params).toArray()) as Nested, near);
          for (const [k, gate] of (["V_i", "V_f", "V_o"] as const).entries())
            await expectClose(V[k]!.grad!.value, grads.params[gate], near);
          await expectClose(sequence.grad!.value, grads.x, near);
          await expectClose(h.grad!.value, grads.h0, near);
          await expectClose(c.grad!.value, grads.c0, near);
        },
      );
    });

    describe.each(kinds)("%s", (kind) => {
      const plain =
        (options?: Options) =>
        (...inputs: Variable[]) =>
          losses(layer(kind, inputs, options));
      const masked = (options: Options = {}) => plain({ ...options, mask: maskOf(device) });

      it("has the gradients of central differences, with and without a mask", async () => {
        await checkBackward(plain(), drawn(device, kind, "float64"), { relative: 1e-7 });
        await checkBackward(masked(), drawn(device, kind, "float64"), { relative: 1e-7 });
      });

      it("has the tangents of central differences, with and without a mask", async () => {
        await checkTangent(plain(), drawn(device, kind, "float64"), { relative: 1e-7 });
        await checkTangent(masked(), drawn(device, kind, "float64"), { relative: 1e-7 });
      });

      it("has second derivatives", async () => {
        await checkDoubleBackward(plain(), drawn(device, kind, "float64"));
        await checkDoubleBackward(masked(), drawn(device, kind, "float64"));
      });

      it.each([false, true])("does the same fused and composed, masked: %s", async (withMask) => {
        const results = [true, false].map((fused) => {
          const inputs = drawn(device, kind, "float64").map((x) => new Variable(x));
          const found = layer(kind, inputs, { fused, ...(withMask ? { mask: maskOf(device) } : {}) });
          losses(found).sum().backward();
          return [found.outputs, found.h, found.c, ...inputs.map(({ grad }) => grad as Variable)];
        });
        const [fused, composed] = results as [Variable[], Variable[]];
        for (const [k, y] of fused.entries())
          await expectClose(y.value, await composed[k]!.toArray(), { relative: 1e-9, absolute: 1e-9 });
      });

      it("keeps samples apart, composed and with a mask too", async () => {
        const warn = vi.spyOn(console, "warn");
        const [x, ...rest] = drawn(device, kind, "float64") as [Tensor, ...Tensor[]];
        const states = kind === "gru" ? 1 : 2;
        const parameters = rest.slice(states);
        const of =
          (options: Options) =>
          (...variables: Variable[]) =>
            losses(layer(kind, [x, ...rest.slice(0, states), ...variables], options));
        await checkSampleGradients(of({}), parameters);
        await checkSampleGradients(of({ mask: maskOf(device) }), parameters);
        await checkSampleGradients(of({ fused: false, mask: maskOf(device) }), parameters);
        expect(warn).not.toHaveBeenCalled();
        warn.mockRestore();
      });

      it("takes what a mask leaves out for nothing, NaN included", async () => {
        const mask = maskOf(device);
        const [x, ...rest] = drawn(device, kind, "float64") as [Tensor, ...Tensor[]];
        const counted = mask.reshape([N, T, 1]).broadcastTo([N, T, D]);
        const [values, kept] = await Promise.all([x.data(), counted.data()]);
        const mixed = device.tensor(
          Float64Array.from(values, (v, k) => (kept[k] === 0 ? NaN : v)),
          {
            shape: [N, T, D],
            allowNonFinite: true,
          },
        );
        const run = (from: Tensor) => {
          const inputs = [from, ...rest].map((input) => new Variable(input));
          const found = layer(kind, inputs, { mask });
          losses(found).sum().backward();
          return [found.outputs, ...inputs.map(({ grad }) => grad as Variable)];
        };
        const [clean, withJunk] = [run(x), run(mixed)];
        for (const [k, y] of withJunk.entries()) await expectClose(y.value, await clean[k]!.toArray(), {});
        // A sequence without a step that counts keeps its state.
        const last = layer(kind, [x, ...rest], { mask }).h.value.slice([1, 2]);
        await expectClose(last, (await rest[0]!.slice([1, 2]).toArray()) as Nested, {});
      });

      it("does the same when captured", async () => {
        const inputs = drawn(device, kind, "float64");
        const run = (...tensors: Tensor[]) => {
          const variables = tensors.map((x) => new Variable(x));
          const found = layer(kind, variables);
          losses(found).sum().backward();
          return [found.outputs.value, ...variables.map(({ grad }) => grad!.value)];
        };
        const expected = await read(Object.fromEntries(run(...inputs).map((y, k) => [`${k}`, y])));
        const step = capture(run as never) as unknown as typeof run & { dispose(): void };
        for (let call = 0; call < 3; call++) {
          for (const [k, y] of step(...inputs).entries())
            await expectClose(y, expected[`${k}`] as Nested, { relative: 1e-12, absolute: 1e-12 });
        }
        step.dispose();
      });
    });
  },
  { dtypes: ["float64"] },
);

forEachDevice(({ device, dtype, epsilon, quick }) => {
  describe.each([true, false])("fused: %s", (fused) => {
    it.each(["lstm", "lstm_lengths", "gru", "gru_lengths"] as const)("finds PyTorch's numbers for %s", async (name) => {
      const found = recurrent.cases[name];
      const numbers = (values: Nested) => device.tensor(values as never, { dtype });
      const values = found.values as Readonly<Record<string, Nested>>;
      const v = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, new Variable(numbers(value))]));
      const take = (key: string) => v[key] as Variable;
      const mask = maskOf(device, found.lengths, 5);
      const options = { h: take("h"), fused, ...(name.endsWith("lengths") ? { mask } : {}) };
      const shared = { U: take("U"), W: take("W"), b: take("b") };
      const result = name.startsWith("lstm")
        ? lstm(take("x"), shared, { ...options, c: take("c") })
        : { ...gru(take("x"), { ...shared, d: take("d") }, options), c: null };
      // PyTorch leaves zeros where a sequence has ended.
      const ended = mask.cast(dtype).reshape([3, 5, 1]);
      const outputs = result.outputs.mul(ended);
      let loss = outputs
        .mul(numbers(found.R))
        .sum()
        .add(result.h.mul(numbers(found.Rh)).sum());
      if (result.c !== null) loss = loss.add(result.c.mul(numbers((found as { Rc?: Nested }).Rc as Nested)).sum());
      loss.backward();
      const near = { relative: 256 * epsilon, absolute: 64 * epsilon };
      await expectClose(outputs.value, found.outputs, near);
      await expectClose(result.h.value, found.last_h, near);
      if (result.c !== null) await expectClose(result.c.value, (found as { last_c?: Nested }).last_c as Nested, near);
      await expectClose(loss.value, found.loss, near);
      for (const [key, gradient] of Object.entries(found.gradients))
        await expectClose(take(key).grad!.value, gradient as Nested, near);
    });
  });

  it.each(kinds)("has rows of samples that add up to the gradients, %s", async (kind) => {
    const [x, ...rest] = drawn(device, kind, dtype) as [Tensor, ...Tensor[]];
    const states = kind === "gru" ? 1 : 2;
    const parameters = rest.slice(states).map((p) => new Variable(p));
    const of = () => losses(layer(kind, [x, ...rest.slice(0, states), ...parameters], { mask: maskOf(device) }));
    const rows = sampleGradients(of(), parameters);
    of().sum().backward();
    for (const p of parameters) {
      const matrix = rows.get(p)!;
      const sum = matrix.mean().mul(N).reshape(p.shape);
      await expectClose(sum, await p.grad!.toArray(), { relative: 512 * epsilon, absolute: 512 * epsilon });
      // Row 1 has no step that counts.
      await expectClose(matrix.rows().slice([1, 2]), [Array<number>(matrix.features).fill(0)]);
      if (quick)
        await expectClose(matrix.squaredNorms(), await matrix.rows().square().sum({ axis: 1 }).toArray(), {
          relative: 512 * epsilon,
        });
    }
  });
});
