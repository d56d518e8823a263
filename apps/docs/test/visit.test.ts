import { chromiumLaunch, chromiumMissing as missing } from "@tooling/browser/chromium";
import { seriousViolations } from "@tooling/browser/serious-violations";
import { resolve } from "node:path";
import { chromium, type Browser, type Page } from "playwright";
import { preview, type PreviewServer } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const launchOptions = chromiumLaunch();
const skipped = launchOptions === undefined && process.env["CI"] !== "true";

describe.skipIf(skipped)(`the site in a browser${skipped ? `; ${missing}` : ""}`, () => {
  let browser: Browser;
  let server: PreviewServer;
  let root: string;
  beforeAll(async () => {
    if (launchOptions === undefined) throw new Error(missing);
    server = await preview({ root: resolve(import.meta.dirname, ".."), preview: { port: 0, host: "127.0.0.1" } });
    root = server.resolvedUrls!.local[0]!;
    browser = await chromium.launch(launchOptions);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** Runs a visit; returns what went wrong in it, and requests to other places. */
  async function complaintsOf(visit: (page: Page) => Promise<void>, width = 1280): Promise<string[]> {
    const page = await browser.newPage({ viewport: { width, height: 800 } });
    const complaints: string[] = [];
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(root)) complaints.push(request.url());
    });
    page.on("response", (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    try {
      await visit(page);
      return complaints;
    } finally {
      await page.close();
    }
  }

  it("leads by search from the overview to the API, asking no other server", async () => {
    const complaints = await complaintsOf(async (page) => {
      await page.goto(root);
      await page.getByRole("button", { name: "Search" }).first().click();
      await page.locator(".VPLocalSearchBox input").fill("trimmedMean");
      await page.locator(".VPLocalSearchBox a.result", { hasText: "trimmedMean()" }).first().click();
      await page.waitForURL(/\/api\/aggregators\/functions\/trimmedMean\.html/);
      await expect.poll(() => page.locator("h1").textContent()).toContain("trimmedMean()");
    });
    expect(complaints).toEqual([]);
  });

  it("shows the study's page within a page", async () => {
    const complaints = await complaintsOf(async (page) => {
      await page.goto(`${root}see-it.html`);
      await page.frameLocator("iframe").locator("h1").first().waitFor();
      expect(await page.getByRole("link", { name: "Open the page alone" }).getAttribute("href")).toMatch(
        /demo\/index\.html$/,
      );
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    });
    expect(complaints).toEqual([]);
  });

  it.each(["light", "dark"] as const)("has nothing serious for axe to find, %s", async (colorScheme) => {
    const complaints = await complaintsOf(async (page) => {
      await page.emulateMedia({ colorScheme });
      for (const path of ["", "api/nn/classes/Linear.html"]) {
        await page.goto(`${root}${path}`);
        await page.locator(".vp-doc h1").waitFor();
        expect(await seriousViolations(page), path).toEqual([]);
      }
    });
    expect(complaints).toEqual([]);
  });

  it.each([1280, 375])("has no page wider than a window of %i", async (width) => {
    const pages = ["", "three-uses.html", "benchmarks.html", "rules/index.html", "api/tensor/classes/Tensor.html"];
    const complaints = await complaintsOf(async (page) => {
      for (const path of pages) {
        await page.goto(`${root}${path}`);
        await page.locator(".vp-doc h1").waitFor();
        expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(width);
      }
    }, width);
    expect(complaints).toEqual([]);
  });
});
