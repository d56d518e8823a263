import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { variantNames } from "../../src/study/variants.js";
import type { WatchedNumbers } from "../../src/web/watched-numbers.js";
import { demo, numbers, readStudy, temporaryFolder } from "../run-demo.js";
import { downloaded } from "./download.js";
import { trainedHere } from "./trained-here.js";
import { inChromium } from "./visit.js";

const watched = async (...args: Parameters<typeof downloaded>) =>
  JSON.parse(await downloaded(...args)) as WatchedNumbers;

inChromium("the page's numbers", (visit) => {
  it("are the command line's on wasm, bit for bit over 1000 steps of all six variants", () =>
    visit({ state: `seed=3&trial=2&competitors=${variantNames.join(";")}` }, async (page) => {
      await page.getByRole("button", { name: "To the end" }).click();
      await page.getByText("After 1000 steps").waitFor();
      const { trial, settings } = await watched(page, "JSON: trial");
      expect(settings).toMatchObject({ seed: 3, trial: 2, fraction: 0.02, factor: 1e4, device: "wasm" });
      const expected = await trainedHere({ seed: 3 }, 2);
      expect(Object.keys(expected.variants)).toEqual(variantNames);
      expect(numbers([trial])).toEqual(numbers([expected]));
    }));

  it("stay within 2e-6 of float64 on webgpu, over 100 steps", () =>
    visit({ state: "device=webgpu&iterations=100&competitors=vanilla;median-of-means-jointly" }, async (page) => {
      await page.getByRole("button", { name: "To the end" }).click();
      await page.getByText("After 100 steps").waitFor();
      const { trial, iterations, settings } = await watched(page, "JSON: trial");
      expect(settings.device).toBe("webgpu");
      const { variants } = await trainedHere({ iterations: 100, device: "cpu", dtype: "float64" }, 0);
      for (const name of ["vanilla", "median-of-means-jointly"]) {
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
