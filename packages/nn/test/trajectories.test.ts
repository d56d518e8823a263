import {
  adam,
  adamw,
  cosine,
  follow,
  momentum,
  Parameter,
  rmsprop,
  schedule,
  sgd,
  stepDecay,
  warmUp,
  type Optimizer,
  type Rate,
} from "@robgrad/nn";
import { capture, type Device, type DType, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import fixtures from "./fixtures/optimizers.json" with { type: "json" };

const { start, curvature, push } = fixtures;
const steps = push.length;
const names = ["first", "second"] as const;
type Weights = Readonly<Record<(typeof names)[number], Parameter>>;

const optimizers: Record<keyof typeof fixtures.optimizers, () => Optimizer> = {
  sgd: () => sgd({ stepSize: 0.1 }),
  "sgd, weight decay": () => sgd({ stepSize: 0.1, weightDecay: 0.3 }),
  momentum: () => momentum({ stepSize: 0.05 }),
  "momentum, weight decay": () => momentum({ stepSize: 0.05, momentum: 0.8, weightDecay: 0.2 }),
  nesterov: () => momentum({ stepSize: 0.05, nesterov: true }),
  "nesterov, weight decay": () => momentum({ stepSize: 0.05, momentum: 0.7, nesterov: true, weightDecay: 0.2 }),
  rmsprop: () => rmsprop({ stepSize: 0.02, decay: 0.95, epsilon: 1e-6 }),
  "rmsprop, weight decay": () => rmsprop({ stepSize: 0.02, weightDecay: 0.1 }),
  adam: () => adam({ stepSize: 0.05, beta1: 0.8, beta2: 0.99, epsilon: 1e-7 }),
  "adam, weight decay": () => adam({ stepSize: 0.05, weightDecay: 0.1 }),
  adamw: () => adamw({ stepSize: 0.05, weightDecay: 0.2 }),
};

const schedules: Record<keyof typeof fixtures.scheduled, () => Rate> = {
  cosine: () => cosine({ from: 0.4, to: 0.02, steps: steps - 1 }),
  "step decay": () => stepDecay({ from: 0.4, factor: 0.3, every: 7 }),
  "warm-up": () => warmUp({ steps: 8, then: 0.4 }),
  "warm-up, cosine": () => warmUp({ steps: 5, then: cosine({ from: 0.4, steps: 12 }) }),
};

function weightsOn(device: Device, dtype: DType): Weights {
  return Object.fromEntries(
    names.map((name) => [name, new Parameter(device.tensor(start[name], { dtype }), name)]),
  ) as unknown as Weights;
}

/** The fixture's step: the gradient of every weight is curvature · w + push. */
function stepOf({ first, second }: Weights, optimizer: Optimizer, device: Device, dtype: DType) {
  const constants = names.map((name) => device.tensor(curvature[name], { dtype }));
  return (...pushes: readonly Tensor[]) =>
    optimizer.update(
      new Map(
        [first, second].map((w, k) => [w, (constants[k] as Tensor).mul(w.value).add(pushes[k] as Tensor)] as const),
      ),
    );
}

const disposeAll = (weights: Weights, optimizer: Optimizer) => {
  for (const name of names) weights[name].dispose();
  optimizer.dispose();
};

forEachDevice(({ device, dtype }) => {
  const pushAt = (t: number) => names.map((name) => device.tensor(push[t % steps]![name], { dtype }));
  const tolerance = dtype === "float64" ? { absolute: 1e-12 } : { absolute: 2e-5 };

  describe.each(Object.entries(optimizers))("%s", (name, make) => {
    const path = fixtures.optimizers[name as keyof typeof optimizers];

    it("goes where PyTorch's goes", async () => {
      const optimizer = make();
      const weights = weightsOn(device, dtype);
      const step = stepOf(weights, optimizer, device, dtype);
      for (let t = 0; t < steps; t++) {
        step(...pushAt(t));
        for (const w of names) await expectClose(weights[w].value, path[t]![w], tolerance);
      }
      disposeAll(weights, optimizer);
    });
  });

  describe.each(Object.entries(schedules))("a schedule: %s", (name, make) => {
    const { path, rates } = fixtures.scheduled[name as keyof typeof schedules];

    it("goes where PyTorch's goes, in a captured step", async () => {
      const optimizer = momentum({ stepSize: make(), momentum: 0.5 });
      const weights = weightsOn(device, dtype);
      const step = capture(stepOf(weights, optimizer, device, dtype));
      for (let t = 0; t < steps; t++) {
        step(...pushAt(t));
        for (const w of names) await expectClose(weights[w].value, path[t]![w], tolerance);
      }
      step.dispose();
      disposeAll(weights, optimizer);
    });

    it("has its values", async () => {
      const optimizer = sgd({ stepSize: make() });
      const w = new Parameter(device.zeros([], { dtype }), "w");
      const gradient = device.ones([], { dtype }).neg();
      let sum = 0;
      for (const rate of rates) {
        optimizer.update(new Map([[w, gradient]]));
        sum += rate;
        await expectClose(w.value, sum, tolerance);
      }
      w.dispose();
      optimizer.dispose();
    });
  });

  it.each([
    ["sgd", (stepSize: Rate) => sgd({ stepSize, weightDecay: 0.1 })],
    [
      "momentum",
      (stepSize: Rate) => momentum({ stepSize, nesterov: true, weightDecay: cosine({ from: 0.1, steps: 50 }) }),
    ],
    ["rmsprop", (stepSize: Rate) => rmsprop({ stepSize })],
    ["adam", (stepSize: Rate) => adam({ stepSize, weightDecay: 0.1 })],
    ["adamw", (stepSize: Rate) => adamw({ stepSize, weightDecay: 0.1 })],
  ])("%s does the same in captured steps, 100 of them", async (_, make) => {
    const both = [false, true].map((captured) => {
      const optimizer = make(warmUp({ steps: 10, then: stepDecay({ from: 0.05, factor: 0.7, every: 15 }) }));
      const weights = weightsOn(device, dtype);
      const eager = stepOf(weights, optimizer, device, dtype);
      return { weights, optimizer, step: captured ? capture(eager) : eager };
    });
    for (let t = 0; t < 100; t++) {
      const pushes = pushAt(t);
      for (const { step } of both) step(...pushes);
    }
    const [eager, captured] = both.map(({ weights }) => weights.first) as [Parameter, Parameter];
    // A graphics card may round a product and a sum once where they are one kernel.
    const rounding = device.name === "webgpu" ? { absolute: 1e-5 } : {};
    await expectClose(captured.value, (await eager.toArray()) as number[], rounding);
    for (const { weights, optimizer, step } of both) {
      (step as { dispose?(): void }).dispose?.();
      disposeAll(weights, optimizer);
    }
  });

  it("counts the updates of each optimizer for itself, whoever shares its schedule", async () => {
    const stepSize = stepDecay({ from: 1, factor: 0.5, every: 1 });
    const [first, second] = [sgd({ stepSize }), sgd({ stepSize })];
    const w = new Parameter(device.zeros([], { dtype }), "w");
    const gradients = new Map([[w, device.ones([], { dtype }).neg()]]);
    // 1 + ½ + ¼, and 1 of the other.
    for (const optimizer of [first, first, first, second]) optimizer.update(gradients);
    await expectClose(w.value, 2.75, tolerance);
    for (const owner of [first, second, w]) owner.dispose();
  });

  it("takes a cell for a rate, whose value at the update counts, in captured steps too", async () => {
    const stepSize = device.cell(device.tensor(0.5, { dtype }));
    const optimizer = sgd({ stepSize: follow(stepSize) });
    const w = new Parameter(device.zeros([2], { dtype }), "w");
    const step = capture((gradient: Tensor) => optimizer.update(new Map([[w, gradient]])));
    for (let t = 0; t < 6; t++) {
      if (t === 4) stepSize.assign(device.tensor(0.25, { dtype }));
      step(device.ones([2], { dtype }));
    }
    expect(await w.toArray()).toEqual([-2.5, -2.5]);
    step.dispose();
    stepSize.dispose();
    w.dispose();
  });

  it("takes a tensor for a rate, such as an argument of a captured step", async () => {
    const w = new Parameter(device.zeros([2], { dtype }), "w");
    const step = capture((gradient: Tensor, stepSize: Tensor) =>
      sgd({ stepSize: follow(stepSize) }).update(new Map([[w, gradient]])),
    );
    for (const stepSize of [1, 2, 4, 8]) step(device.ones([2], { dtype }), stepSize);
    expect(await w.toArray()).toEqual([-15, -15]);
    step.dispose();
    w.dispose();
  });

  it("moves nothing, and counts nothing, where a schedule is not finite or a gradient is bad", async () => {
    const optimizer = adam({ stepSize: schedule((t) => t.pow(-0.5)) });
    const w = new Parameter(device.ones([2], { dtype }), "w");
    const model = { namedParameters: () => [["w", w] as const] };
    optimizer.update(new Map([[w, device.ones([2], { dtype })]]));
    await expect(w.data()).rejects.toMatchObject({
      code: "BAD_DATA",
      message: expect.stringMatching(/adam.*stepSize/),
    });
    const other = adam();
    other.update(new Map([[w, device.tensor([1, NaN], { dtype, allowNonFinite: true })]]));
    await expect(w.data()).rejects.toMatchObject({ code: "BAD_DATA" });
    for (const { state } of [optimizer, other]) {
      for (const cell of state(model).values()) expect([...(await cell.value.data())].every((v) => v === 0)).toBe(true);
    }
    expect(await w.toArray()).toEqual([1, 1]);
    optimizer.dispose();
    other.dispose();
    w.dispose();
  });

  it.each([
    ["adam", adam],
    ["rmsprop", rmsprop],
  ])("%s refuses a gradient whose square overflows, rather than stop for good", async (_, make) => {
    const optimizer = make();
    const w = new Parameter(device.ones([2], { dtype }), "w");
    optimizer.update(new Map([[w, device.tensor([1, dtype === "float64" ? -1e155 : -1e20], { dtype })]]));
    await expect(w.data()).rejects.toThrow(/non-finite value of the square of the gradient of w at element 1/);
    optimizer.dispose();
    w.dispose();
  });
});
