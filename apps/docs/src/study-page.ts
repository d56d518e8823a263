import { workspaceRoot } from "./workspace.js";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";

const folder = join(workspaceRoot, "apps/demo/dist-web");

/**
 * Folder of the built page of the study.
 *
 * @throws  Error when it was not built.
 */
export function studyPage(): string {
  if (!existsSync(join(folder, "index.html"))) {
    throw new Error(
      "apps/demo/dist-web: expected the study's page, found nothing. " +
        "Build it with `npx -y pnpm@12.21.0 --filter demo run build:web`, or all with `npx -y pnpm@12.21.0 run docs:build`.",
    );
  }
  return folder;
}

/** Puts the page into the site, at /demo/. */
export function embedStudyPage(page: string, site: string): void {
  cpSync(page, join(site, "demo"), { recursive: true });
}
