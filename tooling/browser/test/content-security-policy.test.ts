import { openDevice, type DeviceOptions } from "@robgrad/tensor";
import { chromium, type Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Found } from "../page/main.js";
import { train, type Trained } from "../page/train.js";
import { buildPage, serve } from "../source/built-page.js";
import { chromiumLaunch, chromiumMissing as missing } from "../source/chromium.js";

const launchOptions = chromiumLaunch();
const skipped = launchOptions === undefined && process.env["CI"] !== "true";

/** Numbers of Node. */
async function trainHere(name: "cpu" | "wasm", options: DeviceOptions = {}): Promise<Trained> {
  const device = await openDevice(name, options);
  const trained = await train(device);
  device.dispose();
  return trained;
}

/** Losses of all rules, step by step. */
const losses = (trained: Trained) => Object.values(trained).flatMap((run) => run.losses);

describe.skipIf(skipped)(`a page bundled by Vite${skipped ? `; ${missing}` : ""}`, () => {
  let browser: Browser;
  let files: Awaited<ReturnType<typeof buildPage>>;
  beforeAll(async () => {
    if (launchOptions === undefined) throw new Error(missing);
    files = await buildPage();
    browser = await chromium.launch(launchOptions);
  });
  afterAll(() => browser?.close());

  /** What the page finds under a policy, and what it writes to the console meanwhile. */
  async function visit(headers: Readonly<Record<string, string>>) {
    const server = await serve(files, headers);
    const page = await browser.newPage();
    const messages: string[] = [];
    page.on("console", (message) => {
      // Older versions of Chromium say so of every adapter on Linux.
      if (!message.text().startsWith("WebGPU is experimental")) messages.push(message.text());
    });
    page.on("pageerror", (error) => messages.push(error.message));
    try {
      await page.goto(server.url);
      const text = await page.locator("#found:not(:empty)").textContent({ timeout: 60_000 });
      return { found: JSON.parse(text as string) as Found, messages };
    } finally {
      await page.close();
      await server.close();
    }
  }

  describe.each([
    { name: "by itself", isolation: {} },
    {
      name: "isolated from other origins",
      isolation: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
    },
  ])("$name, allowed 'wasm-unsafe-eval'", ({ isolation }) => {
    let visited: Awaited<ReturnType<typeof visit>>;
    beforeAll(async () => {
      const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'";
      visited = await visit({ "Content-Security-Policy": policy, ...isolation });
    });

    it("prefers wasm and trains there as Node does, bit for bit, without a violation", async () => {
      const { found } = visited;
      expect(found.isolated).toBe("Cross-Origin-Opener-Policy" in isolation);
      expect(found.preferred).toBe("wasm");
      expect(found.wasm).toEqual(await trainHere("wasm"));
      expect(found.violationsOnWasm).toEqual([]);
    });

    it("trains on cpu, which walks its kernels there and asks for nothing when told to", async () => {
      const { found, messages } = visited;
      const expected = losses(await trainHere("cpu", { interpret: true }));
      // Engines compute Math.exp and Math.log each in their own way.
      losses(found.cpu).forEach((loss, t) => expect(Math.abs(loss / expected[t]! - 1)).toBeLessThan(1e-6));
      expect(found.interpreted).toEqual(found.cpu);
      expect(found.violationsWhenInterpreted).toEqual([]);
      // The one question whether functions may be made from text.
      expect(found.violations).toEqual(["script-src eval"]);
      expect(messages).toEqual([]);
    });
  });

  it("without 'wasm-unsafe-eval' prefers cpu, and is told what wasm needs", async () => {
    const { found } = await visit({ "Content-Security-Policy": "default-src 'none'; script-src 'self'" });
    expect(found.preferred).toBe("cpu");
    expect(found.wasm).toEqual({
      code: "DEVICE_UNAVAILABLE",
      message: expect.stringContaining("allow 'wasm-unsafe-eval' in the content security policy"),
    });
    const expected = losses(await trainHere("cpu", { interpret: true }));
    expect(losses(found.cpu)).toHaveLength(expected.length);
    losses(found.cpu).forEach((loss, t) => expect(Math.abs(loss / expected[t]! - 1)).toBeLessThan(1e-6));
  });
});
