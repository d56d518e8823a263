import { openDevice, outer, type DeviceName, type SampleMatrix } from "@robgrad/tensor";
import { describe, expect, it } from "vitest";
import {
  aggregate,
  all,
  centeredClip,
  krum,
  mean,
  median,
  medianOfMeans,
  normClip,
  softTruncation,
  type Aggregator,
} from "../src/index.js";

// A layer of 784 inputs and 256 outputs at a batch of 256.
const [samples, inputs, outputs] = [256, 784, 256];
const bytesOfRows = 4 * samples * inputs * outputs;

const gradients = async (name: DeviceName, use: (layer: SampleMatrix) => Promise<void>, memoryLimit: number) => {
  const device = await openDevice(name, { memoryLimit });
  const rng = device.rng(1);
  const layer = outer(rng.normal([samples, outputs]), rng.normal([samples, inputs]));
  try {
    await use(layer);
  } finally {
    device.dispose();
  }
};

describe.each(["cpu", "wasm"] as const)("rules on a layer of 784 × 256 weights and 256 samples on %s", (name) => {
  const rules: readonly Aggregator[] = [mean(), median(), softTruncation(), normClip(), centeredClip(), krum()];
  for (const rule of rules) {
    it(`take less memory than a twentieth of the rows: ${rule.label}`, async () => {
      await gradients(
        name,
        async (layer) => {
          const parameter = { name: "0.W" };
          const answer = aggregate(new Map([[parameter, layer]]), rule).get(parameter);
          expect(answer?.shape).toEqual([outputs, inputs]);
          expect(Number.isFinite(await answer?.sum().item())).toBe(true);
        },
        bytesOfRows / 20,
      );
    }, 60_000);
  }

  it("take less memory than the rows: median-of-means", async () => {
    await gradients(
      name,
      async (layer) => {
        const answer = aggregate(new Map([["0.W", layer]]), medianOfMeans(), { group: all }).get("0.W");
        expect(Number.isFinite(await answer?.sum().item())).toBe(true);
      },
      bytesOfRows / 4,
    );
  }, 60_000);

  it("would not fit if they formed the rows", async () => {
    await gradients(
      name,
      async (layer) => {
        expect(() => layer.rows()).toThrow(expect.objectContaining({ code: "MEMORY_LIMIT" }));
      },
      bytesOfRows / 4,
    );
  });
});
