import { seriousViolations } from "@tooling/browser/serious-violations";
import { expect, it } from "vitest";
import { findings } from "../../src/study/findings.js";
import type { StudyResult } from "../../src/study/study-result.js";
import { downloaded } from "./download.js";
import { inChromium } from "./visit.js";

inChromium("what the study shows", (visit) => {
  it("runs trials, stops, goes on, and says what they show in numbers computed from them", () =>
    visit({ state: "view=findings&trials=200&iterations=60" }, async (page) => {
      await page.getByText(/^(?:[2-9]|\d{2,}) of 200 trials/).waitFor();
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByText("Stopped.").waitFor();
      const study = JSON.parse(await downloaded(page, "JSON: study")) as StudyResult;
      const count = study.trials.length;
      expect(study.settings).toMatchObject({ trials: 200, iterations: 60, seed: 0, fraction: 0.02, factor: 1e4 });
      expect(await page.locator(".answer").allInnerTexts()).toEqual(findings(study));

      for (const { name, label } of study.variants) {
        const errors = study.trials.map(({ variants }) => variants[name]!.testError.at(-1)!);
        const mean = errors.reduce((sum, error) => sum + error, 0) / count;
        const row = page.getByRole("row", { name: label });
        const shown = Number(await row.getByRole("cell").first().innerText());
        expect(Math.abs(shown - mean), label).toBeLessThan(0.00051);
      }
      expect(await page.locator(".drawing svg title").allTextContents()).toEqual([
        "Final test error of every trial",
        "Figure 4. Misclassification against cost in gradients computed",
      ]);
      expect(await page.locator(".drawing svg desc").last().textContent()).toContain(`mean of ${count} trials`);

      expect(await seriousViolations(page)).toEqual([]);

      await page.getByRole("button", { name: "Go on" }).click();
      await expect
        .poll(async () => (JSON.parse(await downloaded(page, "JSON: study")) as StudyResult).trials.length)
        .toBeGreaterThan(count);

      await page.getByRole("link", { name: "Watch" }).click();
      await expect.poll(() => page.workers().length).toBe(1);
    }));

  it("begins anew with another seed, and goes on where it was when it is seen again", () =>
    visit({ state: "view=findings&trials=5&iterations=10" }, async (page) => {
      await page.getByText("5 of 5 trials").waitFor();
      await page.getByText("Finished.").waitFor();
      await page.getByRole("link", { name: "Watch" }).click();
      await page.getByRole("button", { name: "Play" }).waitFor();
      await page.getByRole("link", { name: "What the study shows" }).click();
      await page.getByText("5 of 5 trials").waitFor();
      await page.getByRole("spinbutton", { name: "Seed" }).fill("8");
      await page.getByRole("spinbutton", { name: "Seed" }).press("Tab");
      await expect
        .poll(async () => (JSON.parse(await downloaded(page, "JSON: study")) as StudyResult).settings.seed)
        .toBe(8);
      await page.getByText("5 of 5 trials").waitFor();
      await page.getByLabel("Trials", { exact: true }).first().selectOption("20 trials");
      await page.getByText("20 of 20 trials").waitFor();
    }));
});
