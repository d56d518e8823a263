import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright";

declare const axe: { run(): Promise<AxeResults> };

const axeFile = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe finds serious or critical in a page as it is, with the elements. */
export async function seriousViolations(page: Page): Promise<(readonly [string, readonly string[]])[]> {
  await page.addScriptTag({ path: axeFile });
  const { violations } = await page.evaluate(() => axe.run());
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => [id, nodes.map(({ html }) => html)] as const);
}
