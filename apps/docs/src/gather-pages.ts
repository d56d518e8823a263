import { cpSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { addressOf, pages } from "./pages.js";
import { workspaceRoot } from "./workspace.js";
import { writeApi } from "./write-api.js";

/** Fills a folder with the pages of the repository, where the site has them, and with those of the API. */
export async function gatherPages(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  for (const page of pages) {
    const file = join(folder, addressOf(page));
    mkdirSync(dirname(file), { recursive: true });
    cpSync(join(workspaceRoot, page), file);
  }
  cpSync(join(workspaceRoot, "docs/figures"), join(folder, "figures"), { recursive: true });
  await writeApi(join(folder, "api"));
}
