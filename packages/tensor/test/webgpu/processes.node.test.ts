import { describe, expect, it } from "vitest";
import { runProgram } from "../programs/run-program.js";
import { openWebGpu } from "./open-web-gpu.js";

const opened = await openWebGpu();
opened?.dispose();

interface Sizes {
  readonly live: number;
  readonly resident: number;
}

describe.skipIf(opened === null)("10,000 captured and 10,000 eager steps on webgpu", () => {
  it("leave the device's memory and the process as large as they were", async () => {
    const { before, after } = (await runProgram("repeat-steps.ts", [])) as Record<"before" | "after", Sizes>;
    expect(after.live).toBe(before.live);
    // What engines and drivers keep varies by some megabytes; 1.5 kB a step would be 30.
    expect(after.resident).toBeLessThan(before.resident + 30e6);
  }, 120_000);
});

describe.skipIf(opened === null)("a process that ends while webgpu computes", () => {
  it("ends with the status that it chose", async () => {
    // Whether Dawn would crash depends on what its threads do just then.
    for (let k = 0; k < 4; k++) expect(await runProgram("exit-while-reading.ts", [])).toBe("reading");
  }, 120_000);
});
