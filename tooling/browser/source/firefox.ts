import { defineBrowserProvider } from "@vitest/browser";
import { launch, type Browser, type Page } from "puppeteer-core";
import type { BrowserProvider, BrowserProviderOption } from "vitest/node";
import type { Whereabouts } from "./find-program.js";

export const firefox: Whereabouts = {
  variable: "FIREFOX_PATH",
  names: ["firefox-esr", "firefox"],
  places: [
    "/usr/bin/firefox-esr",
    "/usr/bin/firefox",
    "/Applications/Firefox.app/Contents/MacOS/firefox",
    "C:\\Program Files\\Mozilla Firefox\\firefox.exe",
  ],
};

/** What to do where there is none. */
export const firefoxMissing = "install Firefox, or name its program in FIREFOX_PATH";

/** WebGPU, where only software computes it as well. */
const preferences = {
  "dom.webgpu.enabled": true,
  "gfx.webgpu.ignore-blocklist": true,
  "gfx.webgpu.force-enabled": true,
};

/** Firefox as its makers ship it, for vitest, whose own providers want builds of theirs or a driver besides. */
class Firefox implements BrowserProvider {
  readonly name = "puppeteer";
  readonly supportsParallelism = false;
  readonly #executablePath: string;
  #browser: Promise<Browser> | null = null;
  readonly #pages = new Map<string, Page>();

  constructor(executablePath: string) {
    this.#executablePath = executablePath;
  }

  getCommandsContext(session: string): { readonly page: Page | undefined } {
    return { page: this.#pages.get(session) };
  }

  async openPage(session: string, url: string): Promise<void> {
    this.#browser ??= launch({
      browser: "firefox",
      executablePath: this.#executablePath,
      headless: true,
      extraPrefsFirefox: preferences,
    });
    const browser = await this.#browser;
    await this.#pages.get(session)?.close();
    const page = await browser.newPage();
    this.#pages.set(session, page);
    await page.goto(url, { timeout: 0 });
  }

  async close(): Promise<void> {
    const browser = await this.#browser;
    this.#browser = null;
    this.#pages.clear();
    await browser?.close();
  }
}

/** @param executablePath  The program of Firefox. */
export const firefoxProvider = (executablePath: string): BrowserProviderOption =>
  defineBrowserProvider({
    name: "puppeteer",
    supportedBrowser: ["firefox"],
    providerFactory: () => new Firefox(executablePath),
  });
