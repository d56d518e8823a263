import { expect, it } from "vitest";
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
      expect(await page.locator(".panels .figure").count()).toBe(4);
    }));
});
