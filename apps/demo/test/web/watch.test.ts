import { expect, it } from "vitest";
import { downloadedFile } from "./download.js";
import { inChromium } from "./visit.js";

inChromium("watching rules side by side", (visit) => {
  it("shows a newcomer three rules, plays, pauses, steps and scrubs", () =>
    visit({}, async (page) => {
      await page.getByRole("button", { name: "Play" }).click();
      const slider = page.getByRole("slider", { name: /^Step/ });
      await expect.poll(async () => Number(await slider.inputValue())).toBeGreaterThan(20);
      await page.getByRole("button", { name: "Pause" }).click();
      const paused = Number(await slider.inputValue());
      await page.getByRole("button", { name: "One step on" }).click();
      expect(Number(await slider.inputValue())).toBe(paused + 1);
      await page.getByRole("button", { name: "One step back" }).click();
      expect(Number(await slider.inputValue())).toBe(paused);
      await slider.fill("300");
      await page.getByText("After 300 steps").waitFor();
      await page.getByRole("button", { name: "To the end" }).click();
      await page.getByText("After 1000 steps").waitFor();
      await expect.poll(() => page.locator(".panels .figure").count()).toBe(4);
    }));

  it("adds and takes away rules, and trains them from the same rows and weights", () =>
    visit({ state: "step=200" }, async (page) => {
      await page.getByText("After 200 steps").waitFor();
      const rules = page.getByRole("group", { name: "Rules side by side" });
      await rules.getByLabel("Add a rule").selectOption({ label: "norm clip at 2, jointly" });
      await page.locator(".panels").getByText("norm clip at 2, jointly").waitFor();
      await rules.getByRole("button", { name: "Take away soft truncation, equal scale" }).click();
      const titles = async () => {
        const texts = await page.locator(".numbers tbody th").allTextContents();
        return texts.map((title) => title.trim());
      };
      await expect.poll(titles).toEqual(["vanilla", "median of means, jointly", "norm clip at 2, jointly"]);
      for (const name of ["vanilla", "norm clip at 2, jointly"]) {
        await rules.getByRole("button", { name: `Take away ${name}` }).click();
      }
      await expect.poll(() => page.locator(".numbers tbody tr").count()).toBe(1);
      expect(await rules.getByRole("button", { name: /^Take away/ }).isDisabled()).toBe(true);
    }));

  it("begins anew with other rows when seed, displaced rows or distance change", () =>
    visit({ state: "step=30" }, async (page) => {
      await page.getByText("After 30 steps").waitFor();
      const arrows = page.locator(".panels .figure").first().locator("[aria-label=vector] path");
      await expect.poll(() => arrows.count()).toBe(2);
      await page.getByRole("slider", { name: /^Displaced rows/ }).fill("7");
      await expect.poll(() => arrows.count()).toBe(7);
      await page.getByText("After 0 steps").waitFor();
      // 10^0 σ: within what is shown.
      await page.getByRole("slider", { name: /^Their distance/ }).fill("0");
      await expect.poll(() => arrows.count()).toBe(0);
      await expect.poll(() => page.url()).toMatch(/fraction=0.07&factor=1/);
    }));

  it("shows the same to whoever opens its address", () =>
    visit({ state: "seed=5&trial=2&step=420&competitors=published;trimmed-mean:fraction=0.05@all" }, async (page) => {
      const numbers = async () => {
        await page.getByText("After 420 steps").waitFor();
        await expect.poll(() => page.locator(".numbers tbody tr").count()).toBe(2);
        return page.locator(".numbers tbody td:nth-child(-n + 3)").allTextContents();
      };
      const here = await numbers();
      await page.getByRole("slider", { name: /^Step/ }).fill("421");
      await page.getByRole("slider", { name: /^Step/ }).fill("420");
      await expect.poll(() => page.url()).toMatch(/step=420/);
      await page.reload();
      expect(await numbers()).toEqual(here);
    }));

  it("saves figures as SVG and PNG, with their colours", () =>
    visit({ state: "step=100", colorScheme: "dark" }, async (page) => {
      await page.getByText("After 100 steps").waitFor();
      const svg = await downloadedFile(page, "SVG of vanilla-step-100");
      expect(svg.name).toBe("vanilla-step-100.svg");
      const text = svg.bytes.toString();
      expect(text).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
      expect(text).not.toContain("var(--");
      expect(text).toContain("background: rgb(20, 24, 29)");
      expect(text).toContain("data:image/png;base64,");
      const png = await downloadedFile(page, "PNG of test-curves");
      expect(png.name).toBe("test-curves.png");
      expect(png.bytes.subarray(1, 4).toString()).toBe("PNG");
      expect(png.bytes.readUInt32BE(16)).toBeGreaterThan(500);
      expect(png.bytes.length).toBeGreaterThan(5000);
    }));

  it("trains on WebGPU too, and says how long a step takes", () =>
    visit({ state: "competitors=vanilla&step=3" }, async (page) => {
      await page.getByText("After 3 steps").waitFor();
      const time = page.locator(".numbers tbody td").nth(2);
      await expect.poll(() => time.textContent()).toMatch(/^[\d.]+ µs$/);
      await page.getByLabel("Device").selectOption({ label: "WebGPU" });
      await expect.poll(() => time.textContent()).toBe("–");
      await expect.poll(() => time.textContent()).toMatch(/µs$/);
      expect(await page.getByRole("alert").textContent()).toBe("");
    }));

  it("works without isolation from other origins", () =>
    visit({ state: "step=40", isolated: false }, async (page) => {
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
      await page.getByText("After 40 steps").waitFor();
      await expect.poll(() => page.locator(".panels .figure").count()).toBe(4);
    }));
});
