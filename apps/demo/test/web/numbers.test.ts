import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright";
import { expect, it } from "vitest";
import { curveIterations } from "../../src/study/curve-iterations.js";
import { variantNames } from "../../src/study/variants.js";
import type { WatchedNumbers } from "../../src/web/watched-numbers.js";
import { demo, numbers, readStudy, temporaryFolder } from "../run-demo.js";
import { downloaded } from "./download.js";
import { trainedHere } from "./trained-here.js";
import { inChromium } from "./visit.js";

/** The numbers of a trial watched at its end once all its rules are there: they come one by one. */
async function trained(page: Page, iterations: number): Promise<WatchedNumbers> {
  await page.getByText(`After ${iterations} steps`).waitFor();
  let found: WatchedNumbers | null = null;
  await expect
    .poll(async () => {
      found = JSON.parse(await downloaded(page, "JSON: trial")) as WatchedNumbers;
      const { competitors, trial } = found;
      return competitors.map(({ name }) => trial.variants[name]?.testError.length);
    })
    .toSatisfy((lengths: number[]) => lengths.every((length) => length === curveIterations(iterations).length));
  return found!;
}

inChromium("the page's numbers", (visit) => {
  it("are the command line's on wasm, bit for bit over 1000 steps of all six variants", () =>
    visit({ state: `seed=3&trial=2&step=1000&competitors=${variantNames.join(";")}` }, async (page) => {
      const { trial, settings } = await trained(page, 1000);
      expect(settings).toMatchObject({ seed: 3, trial: 2, fraction: 0.02, factor: 1e4, device: "wasm" });
      const expected = await trainedHere({ seed: 3 }, 2);
      expect(Object.keys(expected.variants)).toEqual(variantNames);
      expect(numbers([trial])).toEqual(numbers([expected]));
    }));

  it("stay within 2e-6 of float64 on webgpu, over 100 steps", () =>
    visit({ state: "device=webgpu&iterations=100&step=100&competitors=vanilla;published" }, async (page) => {
      const { trial, iterations, settings } = await trained(page, 100);
      expect(settings.device).toBe("webgpu");
      const { variants } = await trainedHere({ iterations: 100, device: "cpu", dtype: "float64" }, 0);
      for (const name of ["vanilla", "published"]) {
        const [found, expected] = [trial.variants[name]!, variants[name]!];
        for (const [k, iteration] of iterations.entries()) {
          for (const curve of ["trainLoss", "testLoss"] as const) {
            const off = Math.abs(found[curve][k]! / expected[curve][k]! - 1);
            expect(off, `${name}, ${curve} at ${iteration}`).toBeLessThan(2e-6);
          }
        }
        expect(found.trainError).toEqual(expected.trainError);
        expect(found.testError).toEqual(expected.testError);
      }
    }));

  it("make a study that the command line repeats and continues", () =>
    visit({ state: "view=findings&trials=2&seed=5&fraction=0.03&iterations=120" }, async (page) => {
      await page.getByText("2 of 2 trials").waitFor();
      const folder = temporaryFolder();
      mkdirSync(join(folder, "page"));
      writeFileSync(join(folder, "page/study.json"), await downloaded(page, "JSON: study"));
      const study = readStudy(join(folder, "page"));
      const csv = await downloaded(page, "CSV: curves");

      const [, command = ""] = /run demo (.*)$/.exec(await page.locator("main code").last().innerText()) ?? [];
      const repeated = await demo(folder, [...command.split(" "), "--out", "repeated"]);
      expect([repeated.status, repeated.stderr]).toEqual([0, ""]);
      expect(numbers(study.trials)).toEqual(numbers(readStudy(join(folder, "repeated")).trials));
      expect(csv).toBe(readFileSync(join(folder, "repeated/curves.csv"), "utf8"));

      const continued = await demo(folder, ["--resume", "page", "--trials", "3"]);
      expect(continued.status).toBe(0);
      const grown = readStudy(join(folder, "page"));
      expect(numbers(grown.trials.slice(0, 2))).toEqual(numbers(study.trials));
      expect(grown.trials.map(({ trial }) => trial)).toEqual([0, 1, 2]);
    }));
});
