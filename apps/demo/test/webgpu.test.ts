import { join } from "node:path";
import { hasCode, openDevice, type Device } from "@robgrad/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { curveIterations } from "../src/study/curve-iterations.js";
import type { StudySettings } from "../src/study/settings.js";
import type { TrainingResult } from "../src/study/study-result.js";
import { Trials } from "../src/study/trials.js";
import { variantNames, variantsOf, type VariantName } from "../src/study/variants.js";
import { demo, readStudy, temporaryFolder } from "./run-demo.js";

/** The device; where there is none, the tests count as skipped, and as failed where the environment says CI=true. */
async function open(): Promise<Device | null> {
  try {
    return await openDevice("webgpu");
  } catch (error) {
    if (process.env["CI"] === "true" || !hasCode(error, "DEVICE_UNAVAILABLE")) throw error;
    return null;
  }
}

const webgpu = await open();
const cpu = await openDevice("cpu");
afterAll(() => [webgpu, cpu].forEach((device) => device?.dispose()));

const iterations = 100;

async function train(device: Device, dtype: StudySettings["dtype"], name: VariantName): Promise<TrainingResult> {
  const settings: StudySettings = {
    trials: 1,
    iterations,
    seed: 0,
    variants: [name],
    rule: null,
    fraction: 0.02,
    factor: 1e4,
    protocol: "code",
    device: device.name,
    dtype,
  };
  const study = new Trials(device, settings, variantsOf(settings, null));
  const { variants } = await study.run(0);
  study.dispose();
  return variants[name]!;
}

describe.skipIf(webgpu === null)("the study on webgpu", () => {
  it.each(variantNames)("trains %s for 100 steps as cpu does in float64", async (name) => {
    const [found, expected] = [await train(webgpu!, "float32", name), await train(cpu, "float64", name)];
    for (const [k, iteration] of curveIterations(iterations).entries()) {
      for (const curve of ["trainLoss", "testLoss"] as const) {
        const off = Math.abs(found[curve][k]! / expected[curve][k]! - 1);
        expect(off, `${curve} at ${iteration}`).toBeLessThan(2e-6);
      }
      for (const curve of ["trainError", "testError"] as const) {
        expect(found[curve][k], `${curve} at ${iteration}`).toBe(expected[curve][k]);
      }
    }
  });

  it("runs from the command line", async () => {
    const folder = temporaryFolder();
    const args = ["--device", "webgpu", "--trials", "1", "--iterations", "3", "--variant", "published", "--out", "out"];
    const { status, stderr, stdout } = await demo(folder, args);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/· webgpu · seed 0$/m);
    expect(readStudy(join(folder, "out")).settings.device).toBe("webgpu");
  });
});
