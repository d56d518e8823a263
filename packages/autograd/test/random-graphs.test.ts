import { hasCode, type Tensor, type Device } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import fc from "fast-check";
import { afterAll, beforeAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { concat, linear, sort, stack, Variable } from "../src/index.js";
import { checkOnDevice, checkSampleGradients } from "../src/testing.js";
import { draw } from "./draw.js";

let device: Device;
let dtype: "float32" | "float64" = "float64";

/** No sample, and several: what an element depends on is one of these or a sample's number. */
const nobody = -1;
const several = -2;

const meet = (a: number, b: number) => (a === b || b === nobody ? a : a === nobody ? b : several);

const put = (list: readonly number[], at: number, value: number): number[] =>
  list.map((old, k) => (k === at ? value : old));

/**
 * What every element of a value depends on, worked out element by element: an oracle that knows nothing of axes.
 */
class Dependencies {
  readonly shape: readonly number[];
  readonly labels: readonly number[];

  constructor(shape: readonly number[], labels: readonly number[]) {
    this.shape = shape;
    this.labels = labels;
  }

  static none(shape: readonly number[]): Dependencies {
    return Dependencies.of(shape, () => nobody);
  }

  static of(shape: readonly number[], label: (index: readonly number[]) => number): Dependencies {
    const labels: number[] = [];
    const visit = (index: readonly number[]) => {
      if (index.length === shape.length) labels.push(label(index));
      else for (let i = 0; i < (shape[index.length] as number); i++) visit([...index, i]);
    };
    visit([]);
    return new Dependencies(shape, labels);
  }

  /** The label at an index of a shape this one broadcasts to. */
  at(index: readonly number[]): number {
    const lead = index.length - this.shape.length;
    let place = 0;
    this.shape.forEach(
      (extent, axis) => (place = place * extent + (extent === 1 ? 0 : (index[axis + lead] as number))),
    );
    return this.labels[place] as number;
  }

  get mixes(): boolean {
    return this.labels.includes(several);
  }

  map(shape: readonly number[], source: (index: readonly number[]) => readonly number[]): Dependencies {
    return Dependencies.of(shape, (index) => this.at(source(index)));
  }

  with(other: Dependencies, shape: readonly number[]): Dependencies {
    return Dependencies.of(shape, (index) => meet(this.at(index), other.at(index)));
  }

  /** Every index along an axis depends on all of them. */
  spread(axis: number): Dependencies {
    return Dependencies.of(this.shape, (index) => {
      let label = nobody;
      for (let i = 0; i < (this.shape[axis] as number); i++) label = meet(label, this.at(put(index, axis, i)));
      return label;
    });
  }

  reshape(shape: readonly number[]): Dependencies {
    return new Dependencies(shape, this.labels);
  }
}

interface Value {
  readonly x: Variable;
  readonly on: Dependencies;
}

/** Integers from fast-check, one after the other; 0 when they run out. */
class Choices {
  #next = 0;
  readonly #drawn: readonly number[];
  constructor(drawn: readonly number[]) {
    this.#drawn = drawn;
  }
  below(n: number): number {
    return (this.#drawn[this.#next++] ?? 0) % n;
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** A model built from choices; the same choices and parameters give the same graph. */
class RandomModel {
  readonly #choices: Choices;
  readonly #samples: number;
  readonly #params: readonly Variable[];
  mixes = false;
  readonly steps: string[] = [];

  constructor(drawn: readonly number[], samples: number, params: readonly Variable[]) {
    this.#choices = new Choices(drawn);
    this.#samples = samples;
    this.#params = params;
  }

  /** A parameter of this shape: a leaf where there is one of it, else a part of a large one. */
  #parameter(shape: readonly number[]): Variable {
    const size = shape.reduce((a, b) => a * b, 1);
    const found = this.#params.find((param) => param.shape.join() === shape.join());
    // A leaf of the right shape is used directly, also a second time.
    if (found !== undefined) return found;
    const large = this.#params[this.#params.length - 1] as Variable;
    return large.reshape([large.size]).slice([0, size]).reshape(shape);
  }

  #constant(shape: readonly number[]): Tensor {
    return draw(device, shape, shape.length + 7, dtype);
  }

  losses(): Variable {
    const n = this.#samples;
    const shape = [n, 2 + this.#choices.below(3), ...(this.#choices.below(2) === 0 ? [] : [2])];
    const x: Value = {
      x: new Variable(this.#constant(shape), { requiresGrad: false }),
      on: Dependencies.of(shape, ([i]) => i as number),
    };
    let values: Value[] = [this.#linear(x)];
    const count = 1 + this.#choices.below(7);
    for (let step = 0; step < count; step++) {
      const chosen = this.#choices.below(3) === 0 ? this.#choices.of(values) : (values[values.length - 1] as Value);
      const next = this.#step(chosen, values);
      if (next !== undefined && next.x.size <= 200 && next.x.size > 0) values = [...values, next];
    }
    const base = this.#finish(values[0] as Value) as Variable;
    return values.slice(1).reduce((total, value) => {
      const own = this.#finish(value);
      return total.add(own);
    }, base);
  }

  /** Down to one number per sample, along the axis that carries them; what lies nowhere is summed up whole. */
  #finish({ x, on }: Value): Variable {
    const n = this.#samples;
    if (on.mixes) this.mixes = true;
    const axis = on.shape.findIndex(
      (extent, axis) =>
        extent === n &&
        Dependencies.of(on.shape, (index) => meet(on.at(index), index[axis] as number)).labels.every(
          (label) => label !== several,
        ),
    );
    const squares = x.mul(x).add(x.sin());
    if (axis >= 0 && !on.labels.every((label) => label === nobody)) {
      const others = x.shape.map((_, k) => k).filter((k) => k !== axis);
      return others.length === 0 ? squares : squares.sum({ axis: others });
    }
    // Every loss depends on all of it.
    const whole = on.labels.reduce(meet, nobody);
    if (whole !== nobody) this.mixes = true;
    return squares.sum();
  }

  #linear({ x, on }: Value): Value {
    const last = x.shape.length - 1;
    const p = x.shape[last] as number;
    const q = 2 + this.#choices.below(3);
    const bias = this.#choices.below(2) === 0 ? [] : [this.#parameter([q])];
    const shape = [...x.shape.slice(0, last), q];
    this.steps.push(`linear ${q}`);
    return {
      x: linear(x, this.#parameter([q, p]), ...bias),
      on: on.spread(last).map(shape, (index) => put(index, last, 0)),
    };
  }

  #step(value: Value, values: readonly Value[]): Value | undefined {
    const { x, on } = value;
    const rank = x.shape.length;
    const name = this.#choices.of([
      "linear",
      "linear",
      "tanh",
      "parameter",
      "mask",
      "permute",
      "reshape",
      "slice",
      "gather",
      "concat",
      "reorder",
      "sum",
      "max",
      "cumsum",
      "sort",
      "add",
      "mul",
      "matmul",
      "pick",
      "stack",
      "weights",
    ] as const);
    if (rank === 0 && name !== "tanh" && name !== "add" && name !== "mul") return undefined;
    const axis = rank === 0 ? 0 : this.#choices.below(rank);
    const extent = x.shape[axis] ?? 1;
    this.steps.push(`${name} ${axis} of [${x.shape.join()}]`);
    switch (name) {
      case "linear":
        return this.#linear(value);
      case "tanh":
        return { x: x.tanh(), on };
      case "parameter": {
        // Along the last axis, where layers have their parameters; along samples it would be one per sample.
        const last = rank - 1;
        const along = on.spread(last).mixes && !on.mixes;
        return along ? undefined : { x: x.mul(this.#parameter([x.shape[last] as number])), on };
      }
      case "mask": {
        const last = rank - 1;
        const along = on.spread(last).mixes && !on.mixes;
        return along ? undefined : { x: x.mul(this.#constant([x.shape[last] as number])), on };
      }
      case "weights": {
        // A layer whose weights are masked over their rows: as many as samples, perhaps.
        const q = 2 + this.#choices.below(3);
        const last = rank - 1;
        const W = this.#parameter([q, x.shape[last] as number]).mul(this.#constant([q, 1]));
        return {
          x: linear(x, W),
          on: on.spread(last).map([...x.shape.slice(0, last), q], (index) => put(index, last, 0)),
        };
      }
      case "permute": {
        const order = x.shape.map((_, k) => (k + 1) % rank);
        const shape = order.map((k) => x.shape[k] as number);
        return {
          x: x.permute(order),
          on: on.map(shape, (index) => x.shape.map((_, k) => index[order.indexOf(k)] as number)),
        };
      }
      case "reshape": {
        // Two neighbours joined, or one axis taken apart where that leaves samples whole.
        if (this.#choices.below(2) === 0 && rank > 1 && axis + 1 < rank) {
          const shape = [...x.shape.slice(0, axis), extent * (x.shape[axis + 1] as number), ...x.shape.slice(axis + 2)];
          return { x: x.reshape(shape), on: on.reshape(shape) };
        }
        const factor = [2, 3].find((f) => extent % f === 0 && extent > f);
        if (factor === undefined) return undefined;
        const shape = [...x.shape.slice(0, axis), extent / factor, factor, ...x.shape.slice(axis + 1)];
        const fresh = on.reshape(shape);
        // Samples that lie along two axes at once are beyond what is tracked.
        const carries = (k: number) => fresh.spread(k).mixes;
        if (!on.mixes && carries(axis) && carries(axis + 1)) return undefined;
        return { x: x.reshape(shape), on: fresh };
      }
      case "slice": {
        if (extent < 2) return undefined;
        const start = this.#choices.below(2);
        const stop = extent - (start === 0 ? 1 : 0);
        const shape = put(x.shape, axis, stop - start);
        const ranges = x.shape.map((_, k) => (k === axis ? ([start, stop] as const) : null));
        return {
          x: x.slice(...ranges),
          on: on.map(shape, (index) => put(index, axis, (index[axis] as number) + start)),
        };
      }
      case "gather": {
        const chosen = Array.from({ length: 2 }, () => this.#choices.below(extent));
        const shape = put(x.shape, axis, 2);
        // Which samples indices choose is not known before they are read: all of them, to be sure.
        return {
          x: x.gather(device.tensor(Int32Array.from(chosen)), { axis }),
          on: on.spread(axis).map(shape, (index) => put(index, axis, 0)),
        };
      }
      case "pick": {
        const shape = put(x.shape, axis, 1);
        const places = device.tensor(new Int32Array(shape.reduce((a, b) => a * b, 1)), { shape });
        return { x: x.takeAlongAxis(places, { axis }), on: on.spread(axis).map(shape, (index) => put(index, axis, 0)) };
      }
      case "reorder": {
        if (extent < 2) return undefined;
        const lead = x.shape.slice(0, axis).map(() => null);
        const turned = concat([x.slice(...lead, [1, extent]), x.slice(...lead, [0, 1])], { axis });
        return { x: turned, on: on.map(x.shape, (index) => put(index, axis, ((index[axis] as number) + 1) % extent)) };
      }
      case "concat": {
        const other =
          values.find(
            (candidate) =>
              candidate !== value &&
              candidate.x.shape.length === rank &&
              candidate.x.shape.every((n, k) => k === axis || n === x.shape[k]),
          ) ?? value;
        const shape = put(x.shape, axis, extent + (other.x.shape[axis] as number));
        const joined = Dependencies.of(shape, (index) =>
          (index[axis] as number) < extent
            ? on.at(index)
            : other.on.at(put(index, axis, (index[axis] as number) - extent)),
        );
        return this.#joined(concat([x, other.x], { axis }), joined, [on, other.on]);
      }
      case "stack": {
        const shape = [...x.shape.slice(0, axis), 2, ...x.shape.slice(axis)];
        return { x: stack([x, x.tanh()], { axis }), on: on.map(shape, (index) => index.filter((_, k) => k !== axis)) };
      }
      case "sum":
      case "max": {
        const keepdims = this.#choices.below(2) === 0;
        const reduced = on.spread(axis).map(put(x.shape, axis, 1), (index) => index);
        const shape = keepdims ? put(x.shape, axis, 1) : x.shape.filter((_, k) => k !== axis);
        return { x: x[name]({ axis, keepdims }), on: reduced.reshape(shape) };
      }
      case "cumsum":
        return { x: x.cumsum({ axis }), on: on.spread(axis) };
      case "sort":
        return { x: sort(x, { axis }), on: on.spread(axis) };
      case "add":
      case "mul": {
        const other = this.#choices.of(values);
        const longer = x.shape.length >= other.x.shape.length ? x.shape : other.x.shape;
        const extents = (v: Value, k: number) => v.x.shape[k - (longer.length - v.x.shape.length)] ?? 1;
        if (
          longer.some(
            (_, k) => extents(value, k) !== extents(other, k) && extents(value, k) !== 1 && extents(other, k) !== 1,
          )
        )
          return undefined;
        const shape = longer.map((_, k) => Math.max(extents(value, k), extents(other, k)));
        return this.#joined(x[name](other.x), on.with(other.on, shape), [on, other.on]);
      }
      case "matmul": {
        if (rank < 2) return undefined;
        const [m, k] = x.shape.slice(-2) as [number, number];
        const shape = [...x.shape.slice(0, -2), m, m];
        const product = Dependencies.of(shape, (index) => {
          let label = nobody;
          for (let i = 0; i < k; i++) {
            const row = [...index.slice(0, -1), i];
            const column = [...index.slice(0, -2), index[index.length - 1] as number, i];
            label = meet(label, meet(on.at(row), on.at(column)));
          }
          return label;
        });
        return { x: x.matmul(x.transpose()), on: product };
      }
    }
  }

  #joined(x: Variable, on: Dependencies, parts: readonly Dependencies[]): Value | undefined {
    // A value that lies along one axis in one part and along another in the next mixes only where both are read:
    // leave out graphs whose parts are fine and whose whole is, but not along one axis.
    if (!on.mixes && parts.every((part) => !part.mixes)) {
      const carrying = on.shape.filter((_, axis) => on.spread(axis).mixes);
      if (carrying.length > 1) return undefined;
    }
    return { x, on };
  }
}

const shapes = [
  [2, 2],
  [3, 2],
  [2, 3],
  [3, 3],
  [4, 2],
  [4, 4],
  [2],
  [3],
  [4],
  [4, 3],
  [2, 4],
  [3, 4],
  [4, 6],
  [20, 30],
];

beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

forEachDevice(
  (on) => {
    device = on.device;
    beforeAll(() => void (device = on.device));

    describe("sampleGradients on random graphs", () => {
      it(
        "equals one backward pass per sample, and refuses exactly the graphs that mix samples",
        { timeout: 120_000 },
        async () => {
          const seen = { rows: 0, refused: 0 };
          await fc.assert(
            fc.asyncProperty(
              fc.integer({ min: 2, max: 4 }),
              fc.noBias(fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 })),
              async (samples, drawn) => {
                const scope = device.openScope();
                try {
                  const params = shapes.map((shape, k) => draw(device, shape, k + 20).mul(0.3));
                  let model: RandomModel | undefined;
                  const f = (...variables: Variable[]) => {
                    model = new RandomModel(drawn, samples, variables);
                    return model.losses();
                  };
                  let refused = false;
                  try {
                    await checkSampleGradients(f, params, { relative: 1e-9 });
                  } catch (error) {
                    if (!hasCode(error, "SAMPLES_MIXED")) throw error;
                    refused = true;
                  }
                  const { mixes, steps } = model as RandomModel;
                  expect({ refused, steps: steps.join(" · ") }).toEqual({ refused: mixes, steps: steps.join(" · ") });
                  seen[refused ? "refused" : "rows"]++;
                } finally {
                  device.closeScope(scope, new Set());
                }
              },
            ),
            { numRuns: 400, seed: 1 },
          );
          expect(seen.rows).toBeGreaterThan(100);
          expect(seen.refused).toBeGreaterThan(100);
        },
      );
    });
  },
  { dtypes: ["float64"] },
);

forEachDevice(
  (on) => {
    describe("per-sample gradients of random graphs in float32", () => {
      beforeAll(() => void (dtype = "float32"));
      afterAll(() => void (dtype = "float64"));

      it("are those of cpu in float64, called and replayed", { timeout: 120_000 }, async () => {
        let compared = 0;
        await fc.assert(
          fc.asyncProperty(
            fc.integer({ min: 2, max: 4 }),
            fc.noBias(fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 })),
            async (samples, drawn) => {
              device = on.device;
              dtype = "float32";
              const params = shapes.map((shape, k) => draw(device, shape, k + 20, dtype).mul(0.3));
              const f = (...variables: Variable[]) => {
                const [x] = variables as [Variable];
                [device, dtype] = [x.device, x.dtype as "float32"];
                return new RandomModel(drawn, samples, variables).losses();
              };
              try {
                await checkOnDevice(on.device, f, params, { samples: true, relative: 1e-4 });
                compared++;
              } catch (error) {
                if (!hasCode(error, "SAMPLES_MIXED")) throw error;
              }
            },
          ),
          { numRuns: on.quick ? 40 : 8, seed: 2 },
        );
        expect(compared).toBeGreaterThan(on.quick ? 10 : 1);
      });
    });
  },
  { dtypes: ["float32"] },
);
