import { aggregate } from "@robgrad/aggregators";
import { aggregatorSuite } from "@robgrad/aggregators/testing";
import { denseSamples, openDevice } from "@robgrad/tensor";
import { expect, it } from "vitest";
import { winsorizedMean } from "../src/winsorized-mean.js";

aggregatorSuite(() => winsorizedMean({ fraction: 0.2 }), {
  permutationInvariant: true,
  translationEquivariant: true,
  scaleEquivariant: true,
  coordinatewise: true,
  breakdownPoint: 0.2,
  withoutRows: true,
});

it("draws two of ten values in to their neighbours", async () => {
  const device = await openDevice("cpu");
  // (2 + 2 + 3 + … + 8 + 9 + 9) / 10 for 1 … 9 and 1000
  const rows = device.tensor([[1], [2], [3], [4], [5], [6], [7], [8], [9], [1000]]);
  const answers = aggregate(new Map([["w", denseSamples(rows)]]), winsorizedMean({ fraction: 0.1 }));
  expect(await answers.get("w")?.toArray()).toEqual([5.5]);
  device.dispose();
});

it("refuses a share that it can't draw in", () => {
  expect(() => winsorizedMean({ fraction: 0.5 })).toThrow("winsorizedMean: expected fraction in [0, 0.5), found 0.5");
});
