import Papa from "papaparse";
import type { Page } from "playwright";
import { expect, it } from "vitest";
import { trialData } from "../../src/study/trial-data.js";
import { comparedAnswer } from "../../src/web/answer.js";
import { firstState, readAddress } from "../../src/web/state/address.js";
import type { RunSettings } from "../../src/web/run-settings.js";
import { Engine } from "../../src/web/worker/engine.js";
import { downloaded } from "./download.js";
import { inChromium } from "./visit.js";

const step = { competitor: "median-of-means-jointly", iteration: 60 };
const settings = { ...firstState, seed: 4, iterations: 300, competitors: ["vanilla", step.competitor] };
const { displaced, train } = trialData(settings, settings.trial);
const state = `view=influence&seed=4&iterations=300&competitors=${settings.competitors.join(";")}`;
const rules = ["vanilla", "median-of-means-jointly", "soft-truncation@all"];
/** Some row that is not displaced. */
const other = 7;

const answers = (page: Page) => page.getByRole("region", { name: "Answers in numbers" });
const firstRows = async (page: Page, count: number) =>
  (await page.locator(".rank-list tbody th").allTextContents()).slice(0, count).map(Number);
const position = async (page: Page) => {
  const [, x, y] = /\((\S+), (\S+)\)/.exec(await page.getByText("It is at").innerText())!;
  return [Number(x!.replace("−", "-")), Number(y!.replace("−", "-"))] as const;
};

/** What the list saves, a column in the order of rows. */
async function saved(page: Page): Promise<(column: string) => number[]> {
  const text = await downloaded(page, /^CSV.*ranked-rows/);
  const { data } = Papa.parse<Record<string, string>>(text.trim(), { header: true, dynamicTyping: true });
  const rows = new Map(data.map((row) => [Number(row["row"]), row]));
  return (column) => Array.from({ length: 100 }, (_, row) => Number(rows.get(row)![column] ?? NaN));
}

/** The same trial, looked into outside of a page. */
async function inNode<T>(run: RunSettings, ask: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = new Engine();
  await engine.open("wasm");
  try {
    await engine.begin(run);
    return await ask(engine);
  } finally {
    engine.close();
  }
}

inChromium("influence of rows on a step", (visit) => {
  it("has the weights and the influence that the engine has in Node, bit for bit", () =>
    visit({ state: `${state}&step=60&network=${step.competitor}` }, async (page) => {
      const { look, influence } = await inNode(settings, async (engine) => ({
        look: (await engine.look({ ...step, rules, moved: null }))!,
        influence: (await engine.influence("vanilla", step))!.influence,
      }));
      await page.getByRole("heading", { name: "after 60 steps" }).waitFor();
      const column = await saved(page);
      expect(column("norm")).toEqual([...look.norms]);
      for (const { rule, weights } of look.rules) expect(column(`weight: ${rule}`)).toEqual([...weights!]);
      await page.getByLabel("Points and list show").selectOption("influence");
      const own = page.locator(".panels .figure", { hasText: "vanilla" });
      await own.getByText(/row \d+: influence/).waitFor();
      expect((await saved(page))("influence: vanilla")).toEqual([...influence]);
    }));

  it("ranks displaced rows first by their influence on the mean, and weighs them next to nothing in a robust rule", () =>
    visit({ state: `${state}&show=influence` }, async (page) => {
      await page
        .locator(".panels .figure", { hasText: "vanilla" })
        .getByText(/row \d+: influence/)
        .waitFor();
      await page.getByRole("button", { name: "vanilla: influence" }).click();
      expect(new Set(await firstRows(page, displaced.length))).toEqual(new Set(displaced));
      await page.getByLabel("Points and list show").selectOption("weight");
      const column = await saved(page);
      for (const row of displaced) {
        expect(column("weight: median-of-means-jointly")[row]).toBeLessThan(0.01);
        expect(column("weight: vanilla")[row]).toBeCloseTo(1, 5);
      }
      await page.getByRole("button", { name: "gradient norm" }).click();
      await page.getByRole("button", { name: "row", exact: true }).click();
      expect(await firstRows(page, 3)).toEqual([0, 1, 2]);
    }));

  it("says of a rule without weights that it shows influence, and of one that fails why", () =>
    visit(
      { state: "view=influence&iterations=1&competitors=vanilla;median@all;bulyan:byzantine=40@all" },
      async (page) => {
        await page.getByText("This rule has no weights: its points show influence.").waitFor();
        await page
          .getByText(/bulyan: expected/)
          .first()
          .waitFor();
        await page.getByText(/row \d+: influence/).waitFor();
      },
    ));

  it("chooses a row by a point, by the list, and by its arrow keys", () =>
    visit({ state: `${state}&row=${other}` }, async (page) => {
      const heading = (row: number) => page.getByRole("heading", { name: `Row ${row},` });
      await heading(other).waitFor();
      await page.getByRole("button", { name: "row", exact: true }).click();
      await page.getByRole("button", { name: `Row ${other}`, exact: true }).focus();
      await page.keyboard.press("ArrowDown");
      await heading(other + 1).waitFor();
      await page.keyboard.press("ArrowUp");
      await heading(other).waitFor();
      await page.getByRole("row", { name: /^Row 3 / }).click();
      await heading(3).waitFor();
      await expect.poll(() => page.url()).toContain("row=3");

      // A point that is no other's neighbour.
      const panel = page.locator(".panels .drawing svg").first();
      const inner = (await panel.boundingBox())!.width - 12;
      const [low, high] = [-0.15, 1.15];
      const at = (row: number) => [train.x.values[2 * row]!, train.x.values[2 * row + 1]!] as const;
      const near = (row: number) =>
        Math.min(
          ...Array.from({ length: 100 }, (_, n) =>
            n === row ? Infinity : Math.hypot(at(n)[0] - at(row)[0], at(n)[1] - at(row)[1]),
          ),
        );
      const alone = Array.from({ length: 100 }, (_, row) => row)
        .filter((row) => !displaced.includes(row))
        .reduce((best, row) => (near(row) > near(best) ? row : best));
      const [x, y] = at(alone);
      const place = {
        x: 6 + ((x - low) / (high - low)) * inner,
        y: 6 + ((high - y) / (high - low)) * inner,
      };
      await panel.click({ position: place });
      await heading(alone).waitFor();
    }));

  it("drags a row away with the mouse, tells what Node finds, and trains with it there", () =>
    visit(
      {
        state: `view=influence&iterations=300&competitors=${settings.competitors.join(";")}&fraction=0&step=300&network=${step.competitor}&row=${other}`,
      },
      async (page) => {
        await answers(page).waitFor();
        const handle = page.locator("circle.handle").last();
        await handle.scrollIntoViewIfNeeded();
        const box = (await handle.boundingBox())!;
        const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        await page.mouse.move(x, y);
        await page.mouse.down();
        await page.mouse.move(x + 70, y - 30, { steps: 5 });
        await page.mouse.up();
        const [left, up] = await position(page);
        expect(left).toBeGreaterThan(10);
        const moved = { row: other, x: left, y: up };
        const { plane: clean } = trialData({ ...settings, seed: 0, fraction: 0 }, settings.trial);
        const home = { row: other, x: clean.values[2 * other]!, y: clean.values[2 * other + 1]! };
        const { now, before } = await inNode({ ...settings, seed: 0, fraction: 0 }, async (engine) => ({
          now: (await engine.look({ ...step, iteration: 300, rules, moved }))!,
          before: (await engine.look({ ...step, iteration: 300, rules, moved: home }))!,
        }));
        const told = now.rules.map(({ answer }, k) => comparedAnswer(answer!, before.rules[k]!.answer!));
        for (const [k, { length, angle }] of told.entries()) {
          const cells = answers(page).locator("tbody tr").nth(k).locator("td");
          const words = length.toLocaleString("en", { maximumSignificantDigits: 3 });
          await expect.poll(() => cells.nth(1).textContent()).toBe(`× ${words}`);
          await expect.poll(() => cells.nth(2).textContent()).toBe(`${angle.toFixed(0)}°`);
        }
        // The mean follows, the median of means does not.
        expect(told[0]!.shift).toBeGreaterThan(5 * told[1]!.shift);

        await page.getByRole("button", { name: "Train with it there" }).click();
        await expect.poll(() => readAddress(new URL(page.url()).hash).state.moved).toEqual([moved]);
        await page.locator(".rank-list tr.chosen", { hasText: "displaced" }).waitFor();
        await page.getByRole("button", { name: "Train with it where its flower is" }).click();
        await expect.poll(() => readAddress(new URL(page.url()).hash).state.moved).toEqual([]);
        await expect.poll(() => page.locator(".rank-list tr.chosen").textContent()).not.toContain("displaced");
      },
    ));

  it("moves a row by keys and by its distance, and takes it back", () =>
    visit({ state: `${state}&row=${other}` }, async (page) => {
      await answers(page).waitFor();
      const home = await position(page);
      await page.getByRole("application").focus();
      for (let k = 0; k < 3; k++) await page.keyboard.press("Shift+ArrowRight");
      await expect.poll(async () => (await position(page))[0]).toBeGreaterThan(home[0] + 0.5);
      expect((await position(page))[1]).toBeCloseTo(home[1], 3);
      await page.keyboard.press("ArrowUp");
      await expect.poll(async () => (await position(page))[1]).toBeGreaterThan(home[1]);
      await page.keyboard.press("Home");
      await expect.poll(() => position(page)).toEqual(home);
      await page.getByRole("slider", { name: "Its distance from the mean" }).fill("4");
      await page.getByText("10,000 σ from the mean").waitFor();
      await page.getByRole("button", { name: "Undo the drag" }).click();
      await expect.poll(() => position(page)).toEqual(home);
    }));

  it("drags with a finger on a phone", () =>
    visit({ state: `${state}&row=${other}`, viewport: { width: 390, height: 844 }, hasTouch: true }, async (page) => {
      await answers(page).waitFor();
      const handle = page.locator("circle.handle").last();
      await handle.scrollIntoViewIfNeeded();
      const box = (await handle.boundingBox())!;
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      const session = await page.context().newCDPSession(page);
      const touch = (type: "touchStart" | "touchMove" | "touchEnd", points: { x: number; y: number }[]) =>
        session.send("Input.dispatchTouchEvent", { type, touchPoints: points });
      await touch("touchStart", [{ x, y }]);
      for (let k = 1; k <= 6; k++) await touch("touchMove", [{ x: x - 10 * k, y: y + 5 * k }]);
      await touch("touchEnd", []);
      await expect.poll(async () => (await position(page))[0]).toBeLessThan(-2);
    }));
});
