import { readFile } from "node:fs/promises";
import type { Page } from "playwright";

/**
 * The file that a button saves.
 *
 * @param button  Its whole name, or what its name matches.
 */
export async function downloadedFile(
  page: Page,
  button: string | RegExp,
): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: button, exact: true }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

/** The text of the file that a button saves. */
export async function downloaded(page: Page, button: string | RegExp): Promise<string> {
  return (await downloadedFile(page, button)).bytes.toString();
}
