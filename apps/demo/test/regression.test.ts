import { openDevice, type Device } from "@robgrad/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { regressionStudy, type RegressionRule } from "../src/regression/regression-study.js";
import { summarize, type RegressionSummary } from "../src/regression/summary.js";

// `npx -y pnpm@12.21.0 --filter demo run regression` runs all 40 studies.
const studyCount = 9;

let device: Device;
let summary: RegressionSummary;

beforeAll(async () => {
  device = await openDevice("wasm");
  const studies: Record<RegressionRule, number[]>[] = [];
  for (let seed = 0; seed < studyCount; seed++) studies.push(await regressionStudy(device, { trials: 250, seed }));
  summary = summarize(studies);
});
afterAll(() => device.dispose());

it("finds the published excess risk of robust gradient descent, within three standard errors", () => {
  const { mean, standardError } = summary.rgd;
  // 0.120 with a standard error of 0.0081, over 250 trials of another implementation.
  expect(Math.abs(mean - 0.12)).toBeLessThan(3 * Math.sqrt(standardError ** 2 + 0.0081 ** 2));
});

it("finds the heavy-tailed risk of the mean where it is expected: 0.87 in the median of the studies", () => {
  expect(summary.medians.erm).toBeGreaterThan(0.6);
  expect(summary.medians.erm).toBeLessThan(1.1);
});

it("finds robust gradient descent better in every study", () => {
  expect(summary.robustWins).toBe(studyCount);
});
