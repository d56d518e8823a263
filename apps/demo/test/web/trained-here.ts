import { openDevice, type DeviceName } from "@robgrad/tensor";
import type { StudySettings } from "../../src/study/settings.js";
import type { TrialResult } from "../../src/study/study-result.js";
import { Trials } from "../../src/study/trials.js";
import { variantNames, variantsOf } from "../../src/study/variants.js";

/** The study's own settings. */
const usual: StudySettings & { readonly device: DeviceName } = {
  trials: 1,
  iterations: 1000,
  seed: 0,
  variants: variantNames,
  rule: null,
  fraction: 0.02,
  factor: 1e4,
  protocol: "code",
  device: "wasm",
  dtype: "float32",
};

/** A trial as the command line runs it, in this process. */
export async function trainedHere(own: Partial<typeof usual>, trial: number): Promise<TrialResult> {
  const settings = { ...usual, ...own };
  const device = await openDevice(settings.device);
  try {
    return await new Trials(device, settings, variantsOf(settings, null)).run(trial);
  } finally {
    device.dispose();
  }
}
