import { chromiumLaunch, chromiumMissing } from "@tooling/browser/chromium";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";

const launchOptions = chromiumLaunch();
const skipped = launchOptions === undefined && process.env["CI"] !== "true";

interface VisitOptions extends BrowserContextOptions {
  /** What the address tells of the state, behind #. */
  readonly state?: string;
  /** Whether the page is isolated from other origins; it is unless told otherwise. */
  readonly isolated?: boolean;
}

/** Opens the page in a tab of its own; errors that it does not catch fail the test, at the visit's end. */
export type Visit = (options: VisitOptions, look: (page: Page) => Promise<void>) => Promise<void>;

/** Tests of the page in Chromium, with real workers and real training. */
export function inChromium(name: string, tests: (visit: Visit) => void): void {
  describe.skipIf(skipped)(`${name}${skipped ? `; ${chromiumMissing}` : ""}`, () => {
    let browser: Browser;
    beforeAll(async () => {
      if (launchOptions === undefined) throw new Error(chromiumMissing);
      browser = await chromium.launch(launchOptions);
    });
    afterAll(() => browser?.close());

    tests(async ({ state = "", isolated = true, ...options }, look) => {
      const pages = inject("pages");
      const context = await browser.newContext({
        viewport: { width: 1280, height: 900 },
        acceptDownloads: true,
        ...options,
      });
      context.setDefaultTimeout(60_000);
      const page = await context.newPage();
      const uncaught: string[] = [];
      page.on("pageerror", (error) => uncaught.push(error.message));
      try {
        await page.goto(`${isolated ? pages.isolated : pages.bare}#${state}`);
        await look(page);
        expect(uncaught).toEqual([]);
      } finally {
        await context.close();
      }
    });
  });
}
