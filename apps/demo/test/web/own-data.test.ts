import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Page } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import { downloadedFile } from "./download.js";
import { inChromium } from "./visit.js";

const state = "view=own-data";
const input = (page: Page) => page.locator('input[type="file"]');
const give = (page: Page, text: string | Buffer, name = "rows.csv") =>
  input(page).setInputFiles({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
const find = (page: Page) => page.getByRole("button", { name: "Find distrusted rows" });

/** Two classes that a line parts, `wrong` of them with the other's label. */
const parted = (count: number, wrong: ReadonlySet<number>) =>
  Array.from({ length: count }, (_, k) => {
    const side = k % 2;
    const label = wrong.has(k) ? 1 - side : side;
    return `${k + 1},${(3 * side + Math.sin(k)).toFixed(4)},${Math.cos(3 * k).toFixed(4)},${label === 0 ? "left" : "right"}`;
  });

inChromium("one's own data", (visit) => {
  it("shows somebody without a file how the example's turned labels come first, and saves the list", () =>
    visit({ state }, async (page) => {
      await page.getByText("nothing is sent anywhere").waitFor();
      await page.getByRole("button", { name: "Try the example" }).click();
      await page.getByText("569 rows, 31 columns, separated by commas").waitFor();
      await find(page).click();
      const sentence = await page.getByText(/^29 labels were turned on purpose/).textContent();
      expect(Number(/; (\d+) of the first 29/.exec(sentence!)![1])).toBeGreaterThanOrEqual(20);
      expect(await page.locator("table.distrusted tbody tr").count()).toBe(200);
      await expect.poll(() => page.locator(".drawing svg").count()).toBe(1);
      await page.getByRole("slider", { name: /^Marked/ }).fill("10");
      await page.getByText(/^the first 10 rows/).waitFor();
      const { name, bytes } = await downloadedFile(page, "Export the ranked list");
      expect(name).toBe("breast-cancer-with-flips-ranked.csv");
      const lines = bytes.toString().trim().split("\n");
      expect(lines.length).toBe(570);
      const firstRow = await page.locator("table.distrusted tbody th").first().textContent();
      expect(lines[1]!.split(",").slice(0, 2)).toEqual(["1", firstRow]);
    }));

  it("ranks a file of one's own: columns are chosen, rows with bad cells named and left out", () =>
    visit({ state }, async (page) => {
      const lines = parted(120, new Set([10, 31, 64]));
      lines[4] = "5,NA,0.5,left";
      lines[7] = "8,1.5,0.5,";
      const text = ["number;a;b;side", ...lines.map((line) => line.replaceAll(",", ";"))].join("\r\n");
      const dropped = await page.evaluateHandle((held) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([held], "dropped.csv"));
        return transfer;
      }, text);
      await page.getByRole("region", { name: "Your file" }).dispatchEvent("drop", { dataTransfer: dropped });
      await page.getByText("120 rows, 4 columns, separated by semicolons").waitFor();
      await page.getByText("row 6, a: expected a number, found “NA”").waitFor();
      await page.getByText("row 9, side: expected a label, found nothing").waitFor();
      expect(await page.getByRole("checkbox", { name: /^number/ }).isChecked()).toBe(false);
      expect(await find(page).isDisabled()).toBe(true);
      await page.getByRole("checkbox", { name: "Leave these 2 rows out" }).check();
      await find(page).click();
      await page.getByText("trained on 118 rows").waitFor();
      const first = await page.locator("table.distrusted tbody th").allTextContents();
      expect(new Set(first.slice(0, 3))).toEqual(new Set(["12", "33", "66"]));

      await page.getByRole("combobox", { name: "Label" }).selectOption({ label: "number (120 different values)" });
      await page.getByText("number has 120 different values.").waitFor();
      expect(await find(page).isDisabled()).toBe(true);
      await page.getByRole("checkbox", { name: "The first row holds names" }).uncheck();
      await page.getByText("121 rows, 4 columns").waitFor();
    }));

  it("says what is wrong with a file, and goes on", () =>
    visit({ state }, async (page) => {
      for (const [text, words] of [
        ["", "found an empty file"],
        [Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0xff]), "expected comma-separated text in UTF-8"],
        ['a,b\n1,"2"3\n', "row 2: expected quotes around whole cells"],
      ] as const) {
        await give(page, text);
        await page.getByText(words).waitFor();
      }
      await give(page, Array.from({ length: 60 }, (_, k) => `${k / 7},${Math.sin(k)}`).join("\n"));
      await page.getByText("No column suggests itself as the label").waitFor();
      await give(page, Array.from({ length: 30 }, (_, k) => `${k / 7},same`).join("\n"));
      await page.getByRole("combobox", { name: "Label" }).selectOption({ label: "column 2 (one value)" });
      await page.getByText("column 2 has one value.").waitFor();
      await give(
        page,
        ["a,b,side", ...parted(6, new Set()).map((line) => line.split(",").slice(1).join(","))].join("\n"),
      );
      await page.getByText("6 rows, 3 columns").waitFor();
      await find(page).click();
      await page.getByText("Expected at least 20 rows without bad cells, found 6.").waitFor();
      await give(
        page,
        ["a,b,side", ...parted(40, new Set()).map((line) => line.split(",").slice(1).join(","))].join("\n"),
      );
      await page.getByText("40 rows, 3 columns").waitFor();
      await find(page).click();
      await page.getByText("trained on 40 rows").waitFor();

      const workers = page.workers().filter((worker) => /main-[^/]*\.js$/.test(worker.url()));
      for (const worker of workers) {
        await worker.evaluate(
          () =>
            void setTimeout(() => {
              throw new Error("out of order");
            }),
        );
      }
      await page.getByText(/The worker that trains has ended/).waitFor();
      await find(page).click();
      await page.getByText(/^The worker ended/).waitFor();
      await find(page).click();
      await page.getByText("trained on 40 rows").waitFor();
    }));
});

inChromium("a file of 50 MB", (visit) => {
  let folder: string;
  let path: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "own-data-"));
    path = join(folder, "large.csv");
    const lines = `${Array.from({ length: 4000 }, (_, k) => `${parted(4, new Set())[k % 4]},${"0123456789".repeat(20)}`).join("\n")}\n`;
    await pipeline(
      (function* () {
        yield "n,a,b,side,note\n";
        for (let size = 0; size < 50e6; size += lines.length) yield lines;
      })(),
      createWriteStream(path),
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("is read in a worker with progress, can be cancelled, and is worked with as a sample", () =>
    visit({ state }, async (page) => {
      await input(page).setInputFiles(path);
      await page.getByRole("progressbar").waitFor();
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("progressbar").waitFor({ state: "detached" });
      await input(page).setInputFiles(path);
      // The page answers while the worker reads.
      await page.getByRole("link", { name: "Watch" }).waitFor();
      await page.getByText("20,000 rows, drawn at random, are worked with").waitFor();
      await find(page).waitFor();
    }));
});
