import Papa from "papaparse";
import { expect, it } from "vitest";
import { cellsThrough } from "../../src/web/breakdown-cell.js";
import { downloaded } from "./download.js";
import { trainedHere } from "./trained-here.js";
import { inChromium } from "./visit.js";

interface Row {
  readonly kind: string;
  readonly fraction: number;
  readonly strength: number;
  readonly rule: string;
  readonly trial: number;
  readonly error: number;
}

const rowsOf = (csv: string) => Papa.parse<Row>(csv.trim(), { header: true, dynamicTyping: true }).data;

inChromium("the breakdown lab", (visit) => {
  it("computes curves that sharpen, of the study's own trials, until it is stopped", () =>
    visit({ state: "view=breakdown&steps=40&share=0.02&competitors=vanilla;published" }, async (page) => {
      await page.getByText(/^(?:[2-9]|\d{2,}) or more trials a point/).waitFor();
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByText("Stopped.").waitFor();
      expect(await page.locator(".figure .drawing svg").count()).toBe(2);

      const rows = rowsOf(await downloaded(page, "CSV: breakdown"));
      const cells = cellsThrough({ kind: "displaced", fraction: 0.02, strength: 1e4 });
      for (const { fraction, strength } of cells) {
        const own = rows.filter((row) => row.fraction === fraction && (fraction === 0 || row.strength === strength));
        expect(own.length).toBeGreaterThanOrEqual(4);
      }
      for (const trial of [0, 1]) {
        const { variants } = await trainedHere({ iterations: 40, variants: ["vanilla", "published"] }, trial);
        for (const [rule, { testError }] of Object.entries(variants)) {
          const here = (row: Row) => row.fraction === 0.02 && row.strength === 1e4 && row.trial === trial;
          expect(rows.filter((row) => here(row) && row.rule === rule).map(({ error }) => error)).toEqual([
            testError.at(-1),
          ]);
        }
      }

      const errors = rows.filter((row) => row.fraction === 0.02 && row.strength === 1e4 && row.rule === "vanilla");
      const mean = errors.reduce((sum, { error }) => sum + error, 0) / errors.length;
      const cellsOfRow = page.getByRole("row", { name: /vanilla/ }).getByRole("cell");
      const shown = Number.parseFloat(await cellsOfRow.first().innerText());
      expect(Math.abs(shown - 100 * mean)).toBeLessThan(0.051);
      expect(await cellsOfRow.last().innerText()).toBe(String(errors.length));

      await page.getByRole("button", { name: "Go on" }).click();
      await expect.poll(async () => Number(await cellsOfRow.last().innerText())).toBeGreaterThan(errors.length);
    }));

  it("follows its sliders, keeps what it has computed, and begins anew with another seed", () =>
    visit({ state: "view=breakdown&steps=100&competitors=vanilla" }, async (page) => {
      const trials = page
        .getByRole("row", { name: /vanilla/ })
        .getByRole("cell")
        .last();
      const count = async () => Number(await trials.innerText());
      await expect.poll(count).toBeGreaterThan(2);
      const share = page.getByRole("slider", { name: /^Spoilt rows/ });
      await share.press("ArrowRight");
      await page.getByText("8 of 100 rows spoilt, displaced rows, 10,000 σ").waitFor();
      await page.getByRole("slider", { name: /^Their distance/ }).press("ArrowLeft");
      await page.getByText("8 of 100 rows spoilt, displaced rows, 1,000 σ").waitFor();
      await expect.poll(count).toBeGreaterThan(0);
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByText("Stopped.").waitFor();
      const kept = await count();
      await share.press("Home");
      await page.getByText("0 of 100 rows spoilt, displaced rows").waitFor();
      await share.fill("5");
      expect(await count()).toBe(kept);
      expect(page.url()).toContain("view=breakdown");

      await page.getByLabel("What is spoilt", { exact: true }).selectOption("wrong classes");
      await page.getByLabel("The wrong class").selectOption("always the next");
      expect(await page.locator(".figure .drawing").count()).toBe(1);
      await page.getByRole("button", { name: "Go on" }).click();
      await expect.poll(count).toBeGreaterThan(0);
      await page.getByLabel("What is spoilt", { exact: true }).selectOption("noise");
      await page.getByText("8 of 100 rows spoilt, noise, 10 × the spread of the coordinates").waitFor();
      await expect.poll(count).toBeGreaterThan(0);
      await expect.poll(() => page.url()).toContain("kind=noise");

      await page.getByRole("spinbutton", { name: "Seed" }).fill("7");
      await page.getByRole("spinbutton", { name: "Seed" }).press("Tab");
      await expect.poll(async () => rowsOf(await downloaded(page, "CSV: breakdown")).length).toBeGreaterThan(0);
      const rows = rowsOf(await downloaded(page, "CSV: breakdown"));
      expect(rows.every((row) => (row as Row & { seed: number }).seed === 7 && row.kind === "noise")).toBe(true);
    }));

  it("says when its worker ends, goes on with another, and ends its workers when it is left", () =>
    visit({ state: "view=breakdown&steps=200" }, async (page) => {
      await page.getByText(/^\d+ or more trials a point/).waitFor();
      const before = page.workers().length;
      expect(before).toBeGreaterThan(1);
      await page
        .workers()
        .at(-1)!
        .evaluate(() => {
          setTimeout(() => {
            throw new Error("out of memory");
          });
        });
      await page.getByText(/The breakdown lab has stopped\..*out of memory/).waitFor();
      await page.getByRole("button", { name: "Go on" }).first().click();
      await page.getByText(/^(?:[2-9]|\d{2,}) or more trials a point/).waitFor();
      await page.getByRole("link", { name: "Watch" }).click();
      await expect.poll(() => page.workers().length).toBe(1);
    }));
});
