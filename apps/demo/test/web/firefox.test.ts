import { firefox, firefoxMissing } from "@tooling/browser/firefox";
import { findProgram } from "@tooling/browser/find-program";
import { launch, type Browser } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

const executablePath = findProgram(firefox);
const skipped = executablePath === undefined && process.env["CI"] !== "true";

describe.skipIf(skipped)(`the page in Firefox${skipped ? `; ${firefoxMissing}` : ""}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    if (executablePath === undefined) throw new Error(firefoxMissing);
    browser = await launch({ browser: "firefox", executablePath, headless: true });
  });
  afterAll(() => browser?.close());

  it.each(["isolated", "bare"] as const)("trains, plays and shows another view, %s", async (kind) => {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    const uncaught: unknown[] = [];
    page.on("pageerror", (error) => uncaught.push(error));
    await page.goto(inject("pages")[kind]);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(kind === "isolated");
    await page.locator("::-p-text(After 0 steps)").wait();
    await page.locator("button.main").click();
    const slider = await page.waitForSelector(".player input[type=range]");
    await expect.poll(() => slider!.evaluate((input) => Number((input as HTMLInputElement).value))).toBeGreaterThan(20);
    await page.locator("button.main").click();
    await page.locator("::-p-text(What the study shows)").click();
    await page.waitForSelector("nav a[aria-current][href$=findings]");
    await page.locator("::-p-text(Watch)").click();
    await page.locator("button[aria-label='To the end']").click();
    await page.locator("::-p-text(After 1000 steps)").wait();
    expect(await page.$$eval(".panels .drawing > svg", (drawn) => drawn.length)).toBe(4);
    expect(uncaught).toEqual([]);
    await page.close();
  });
});
