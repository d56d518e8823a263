import { readFile, rename, writeFile } from "node:fs/promises";

/** `<!-- bench iris mnist -->` … `<!-- end of bench -->`; without names, everything measured. */
const block = /(<!-- bench\b([^>]*)-->\n)[^]*?(<!-- end of bench -->)/g;

/**
 * Fills the marked blocks of a Markdown page.
 *
 * @param file   Written under another name and renamed.
 * @param fill   What to put into a block, given the works it names.
 * @throws       RangeError when the page has no block.
 */
export async function fillPage(file: string, fill: (works: readonly string[]) => string): Promise<void> {
  const text = await readFile(file, "utf8");
  const filled = text.replace(
    block,
    (_, open: string, names: string, close: string) =>
      `${open}\n${fill(names.split(/[\s,]+/).filter((name) => name !== ""))}\n\n${close}`,
  );
  if (!text.match(block)) {
    throw new RangeError(`${file}: expected a block <!-- bench --> … <!-- end of bench -->, found none`);
  }
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, filled);
  await rename(temporary, file);
}
