import type { Page } from "playwright";
import { expect, it } from "vitest";
import { inChromium } from "./visit.js";

const formula = (page: Page) => page.getByRole("textbox", { name: "ψ(x) =" });
const cell = (page: Page, property: string) =>
  page
    .getByRole("row", { name: new RegExp(`^${property}`) })
    .getByRole("cell")
    .first();
const panels = (page: Page) => page.locator(".panels .figure figcaption");

inChromium("writing one's own rule", (visit) => {
  it("draws and checks what is typed, and trains it beside the others", () =>
    visit({ state: "view=own-rule&iterations=400&step=300" }, async (page) => {
      await page.getByText("It is an influence function.").waitFor();
      await page.getByText("Your rule takes part.").waitFor();
      await formula(page).fill("x / sqrt(1 + x^2)");
      await expect.poll(() => panels(page).allTextContents()).toContain(" ψ = x / sqrt(1 + x^2)");
      expect(await panels(page).count()).toBe(5);
      // Its limit.
      expect(await cell(page, "bound of").textContent()).toMatch(/^1 /);
      await page.getByText("After 300 steps").waitFor();
      const row = page.locator("table.numbers tbody tr", { hasText: "ψ = x / sqrt(1 + x^2)" });
      // ψ of norms in units of 1, like norm clipping at 1, withstands two displaced rows; vanilla does not.
      await expect.poll(async () => Number(await row.getByRole("cell").first().textContent())).toBeLessThan(0.15);
      const vanilla = page.locator("table.numbers tbody tr", { hasText: "vanilla" });
      expect(Number(await vanilla.getByRole("cell").first().textContent())).toBeGreaterThan(0.3);

      await expect.poll(() => page.url()).toContain("own=psi");
      await page.reload();
      expect(await formula(page).inputValue()).toBe("x / sqrt(1 + x^2)");
      await page.getByRole("checkbox", { name: "Train it beside the others" }).uncheck();
      await expect.poll(() => panels(page).count()).toBe(4);
    }));

  it("says what is wrong with a formula, and goes on", () =>
    visit({ state: "view=own-rule&iterations=1" }, async (page) => {
      await page.getByText("It is an influence function.").waitFor();
      for (const [text, words] of [
        ["2 tanh(x)", "divide the formula by 2"],
        ["tanh(", "Expected a formula, found"],
        ['import("node:fs")', "Expected numbers, x, pi"],
        ["tanh(x)^2", "Expected ψ′(0) = 1, found 0"],
        ["", "Expected a formula, found none"],
        ["x+".repeat(500_000), "Expected at most 1000 characters, found 1000000"],
        [`${"(".repeat(450)}x${")".repeat(450)}`, /nested too deeply|at most 200 parts/],
      ] as const) {
        await formula(page).fill(text);
        await page.getByText(words).waitFor();
      }
      expect(await formula(page).getAttribute("aria-invalid")).toBe("true");
      await page.getByText("The last rule of yours that could be trained takes part.").waitFor();
      await formula(page).fill("atan(x)");
      await page.getByText("It is an influence function.").waitFor();
      await expect.poll(() => panels(page).allTextContents()).toContain(" ψ = atan(x)");
    }));

  it("trains without a bound only for whoever wants it, and holds a formula, of ψ or ρ", () =>
    visit({ state: "view=own-rule&iterations=1" }, async (page) => {
      const label = page.getByRole("combobox", { name: "Begin with" });
      await label.selectOption({ label: "identity: the mean, without bound" });
      await page.getByText("It grows without bound.").waitFor();
      expect(await cell(page, "gross-error sensitivity").textContent()).toContain("∞");
      expect(await panels(page).allTextContents()).not.toContain(" ψ = x");
      await page.getByRole("checkbox", { name: /^Train it without a bound/ }).check();
      await expect.poll(() => panels(page).allTextContents()).toContain(" ψ = x");

      await page.getByRole("spinbutton", { name: "Held beyond ±" }).fill("2");
      await page.getByRole("spinbutton", { name: "Held beyond ±" }).blur();
      await expect.poll(() => cell(page, "bound of").textContent()).toMatch(/^2 /);

      await page.getByRole("combobox", { name: "The formula is" }).selectOption("rho");
      await page.getByRole("textbox", { name: "ρ(x) =" }).fill("x^2/2");
      await page.getByRole("combobox", { name: "It acts on" }).selectOption("coordinates");
      await expect.poll(() => panels(page).allTextContents()).toContain(" ρ = x^2/2");
      await expect.poll(() => cell(page, "bound of").textContent()).toMatch(/^2 /);
    }));
});
