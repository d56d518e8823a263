import { seriousViolations } from "@tooling/browser/serious-violations";
import { expect, it } from "vitest";
import { viewNames } from "../../src/web/state/address.js";
import { inChromium } from "./visit.js";

const phone = { width: 390, height: 844 };
const desktop = { width: 1280, height: 900 };

inChromium("accessibility", (visit) => {
  it.each(
    viewNames.flatMap((view) => [
      { view, colorScheme: "light" as const, viewport: desktop },
      { view, colorScheme: "dark" as const, viewport: phone },
    ]),
  )(
    "axe finds nothing serious in $view, $colorScheme, $viewport.width pixels wide",
    ({ view, colorScheme, viewport }) =>
      visit({ state: `view=${view}&step=100`, colorScheme, viewport }, async (page) => {
        await page.locator("main").getByText(/./).first().waitFor();
        await expect.poll(() => page.getByText("Loading …").count()).toBe(0);
        expect(await seriousViolations(page)).toEqual([]);
        const wide = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(wide).toBeLessThanOrEqual(0);
      }),
  );

  it("plays, pauses and steps by keyboard alone", () =>
    visit({}, async (page) => {
      const slider = page.getByRole("slider", { name: /^Step/ });
      const step = async () => Number(await slider.inputValue());
      await page.getByText("After 0 steps").waitFor();
      const play = page.getByRole("button", { name: "Play" });
      for (let k = 0; k < 30 && !(await play.evaluate((button) => button === document.activeElement)); k++) {
        await page.keyboard.press("Tab");
      }
      await page.keyboard.press("Enter");
      await expect.poll(step).toBeGreaterThan(5);
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: "Play" }).waitFor();
      await page.keyboard.press("Tab");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Tab");
      const before = await step();
      await page.keyboard.press("ArrowRight");
      expect(await step()).toBe(before + 1);
    }));
});
