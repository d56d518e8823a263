import { readFile } from "node:fs/promises";
import Papa from "papaparse";
import type { Page } from "playwright";
import { expect, it } from "vitest";
import { trialData } from "../../src/study/trial-data.js";
import { firstState, readAddress } from "../../src/web/state/address.js";
import { Engine } from "../../src/web/worker/engine.js";
import { inChromium } from "./visit.js";

const settings = { ...firstState, seed: 4, iterations: 200, competitors: ["vanilla", "median-of-means-jointly"] };
const { displaced } = trialData(settings, settings.trial);
const state = `view=influence&seed=4&iterations=200&competitors=${settings.competitors.join(";")}`;
/** Some row that is not displaced. */
const other = 7;

const list = (page: Page) => page.getByRole("region", { name: "Rows, ranked" });
const answers = (page: Page) => page.getByRole("region", { name: "Answers in numbers" });
const answerOf = async (page: Page, rule: string) =>
  (await answers(page).getByRole("row").filter({ hasText: rule }).locator("td").allTextContents()).join(" ");

/** What the list saves, by row. */
async function saved(page: Page): Promise<ReadonlyMap<number, Readonly<Record<string, string>>>> {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "CSV: ranked-rows" }).click();
  const text = await readFile(await (await download).path(), "utf8");
  const { data } = Papa.parse<Record<string, string>>(text.trim(), { header: true });
  return new Map(data.map((row) => [Number(row["row"]), row]));
}

inChromium("influence of rows on a step", (visit) => {
  it("shows the weights that the engine has in Node, bit for bit, and influence once asked for", () =>
    visit({ state: `${state}&step=40&network=median-of-means-jointly` }, async (page) => {
      await list(page)
        .getByRole("columnheader", { name: "soft-truncation" })
        .or(list(page).getByRole("columnheader"))
        .first()
        .waitFor();
      const rules = ["vanilla", "median-of-means-jointly", "soft-truncation@all"];
      const engine = new Engine();
      await engine.open("wasm");
      await engine.begin(settings);
      const step = { competitor: "median-of-means-jointly", iteration: 40 };
      await engine.frame(step.competitor, 40);
      const look = (await engine.look({ ...step, rules, moved: null }))!;
      const influence = (await engine.influence("vanilla", step))!.influence;
      engine.close();

      await page.getByText("after 40 steps").first().waitFor();
      const weights = await saved(page);
      const column = (rows: typeof weights, name: string) =>
        Array.from({ length: 100 }, (_, row) => Number(rows.get(row)![name]));
      expect(column(weights, "norm")).toEqual([...look.norms]);
      for (const { rule, weights: wanted } of look.rules)
        expect(column(weights, `weight: ${rule}`)).toEqual([...wanted!]);

      await page.getByLabel("Points and list show").selectOption("influence");
      await expect.poll(async () => (await saved(page)).get(0)!["influence: vanilla"]).not.toBe("");
      expect(column(await saved(page), "influence: vanilla")).toEqual([...influence]);
    }));
});
