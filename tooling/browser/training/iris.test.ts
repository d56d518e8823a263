import { hasCode, openDevice, type DeviceName } from "@robgrad/tensor";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { train, type Trained } from "../page/train.js";

async function trainOn(name: DeviceName): Promise<Trained> {
  const device = await openDevice(name);
  const trained = await train(device);
  device.dispose();
  return trained;
}

describe("a net trained on Iris in captured steps, by mean, by soft truncation and by median of means", () => {
  let expected: Trained;
  beforeAll(async () => {
    // In float64, but for what is stored between kernels.
    expected = await trainOn("cpu");
  });

  it.for(["wasm", "webgpu"] as const)(
    "loses as much on %s as on cpu, step by step, and becomes the same net",
    async (name, { skip }) => {
      const trained = await trainOn(name).catch((error: unknown) => {
        if (inject("environment")["CI"] === "true" || !hasCode(error, "DEVICE_UNAVAILABLE")) throw error;
        return skip(error.message);
      });
      expect(Object.keys(trained)).toEqual(Object.keys(expected));
      for (const [rule, { losses, parameters }] of Object.entries(expected)) {
        const found = trained[rule]!;
        expect(found.losses.at(-1)).toBeLessThan(found.losses[0]!);
        losses.forEach((loss, t) =>
          expect(Math.abs(found.losses[t]! / loss - 1), `${rule}, step ${t}`).toBeLessThan(1e-5),
        );
        const apart = parameters.flatMap((values, p) =>
          values.map((value, k) => Math.abs(found.parameters[p]![k]! - value)),
        );
        expect(Math.max(...apart), rule).toBeLessThan(1e-4);
      }
    },
  );
});
