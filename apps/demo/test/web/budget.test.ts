import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { inChromium } from "./visit.js";

/** A task of the browser, as its trace tells it; times in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly args: { readonly name?: string };
  /** Time of the processor. */
  readonly tdur?: number;
}

inChromium("the page's budget", (visit) => {
  it("paints a trained network after at most 300 kB, compressed", () =>
    visit({ state: "step=1" }, async (page) => {
      const files = new Set<string>();
      page.on("response", (response) => files.add(response.url()));
      await page.reload();
      await page.getByText("After 1 steps").waitFor();
      const served = [...files].filter((url) => url.startsWith("http"));
      const bodies = await Promise.all(served.map(async (url) => (await fetch(url)).arrayBuffer()));
      const bytes = bodies.map((body) => gzipSync(new Uint8Array(body)).length);
      expect(bytes.length).toBeGreaterThan(3);
      expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(300_000);
    }));

  it("never holds the page for 100 ms of the processor's time while six rules train", () =>
    visit(
      {
        state:
          "speed=0&competitors=vanilla;published;step-matched-control;soft-truncation-equal-scale;median-of-means-by-layer;median-of-means-jointly",
      },
      async (page) => {
        const play = page.getByRole("button", { name: "Play" });
        await play.waitFor();
        const browser = page.context().browser()!;
        await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
        await play.click();
        await page.getByText("After 1000 steps").waitFor();
        const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
        const mains = traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
        const tasks = traceEvents.filter(
          ({ ph, pid, tid }) => ph === "X" && mains.some((main) => main.pid === pid && main.tid === tid),
        );
        const longest = Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1000));
        expect(tasks.length).toBeGreaterThan(100);
        expect(longest).toBeGreaterThan(1);
        expect(longest).toBeLessThan(100);
      },
    ));
});
