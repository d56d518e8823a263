// In scope of the docstrings' examples, beside everything the package exports.
import { denseSamples, openDevice, outer, type SampleMatrix } from "@robgrad/tensor";

export const device = await openDevice("cpu");

/** Five gradients with two coordinates; the last one is wild. */
export const gradients = denseSamples(
  device.tensor([
    [1, 2],
    [1.1, 1.9],
    [0.9, 2.1],
    [1, 2],
    [1000, -1000],
  ]),
);

/** A layer's parameters, as a model would name them. */
export const weight = { name: "0.W" };
export const bias = { name: "0.b" };
export const model = {
  namedParameters: () =>
    [
      ["0.W", weight],
      ["0.b", bias],
    ] as const,
};

const delta = device.tensor([
  [1, 0, 2],
  [0.5, 1, 1],
  [1, 1, 1],
  [100, 0, 3],
]);

/** Their sample matrices for a batch of four. */
export const samples: ReadonlyMap<{ readonly name: string }, SampleMatrix> = new Map([
  [
    weight,
    outer(
      delta,
      device.tensor([
        [1, 2],
        [2, 1],
        [0, 1],
        [1, 1],
      ]),
    ),
  ],
  [bias, denseSamples(delta)],
]);

/** Three honest gradients of two coordinates. */
export const honest = device.tensor([
  [1, 2],
  [1.1, 1.9],
  [0.9, 2.1],
]);
