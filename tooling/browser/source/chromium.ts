import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const places = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/opt/google/chrome/chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

const onPath = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/**
 * Where Chromium is: what CHROMIUM_PATH names, or else the first of the usual places.
 *
 * @returns  A path; undefined where there is none, and where CHROMIUM_PATH is empty.
 */
export function findChromium(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const named = environment["CHROMIUM_PATH"];
  if (named === "") return undefined;
  if (named !== undefined) {
    if (!existsSync(named)) throw new Error(`CHROMIUM_PATH: expected a program, found nothing at ${named}`);
    return named;
  }
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...folders.flatMap((folder) => onPath.map((name) => join(folder, name))), ...places].find(existsSync);
}

/** What to do where there is none. */
export const missing = "install Chromium or Chrome, or name its program in CHROMIUM_PATH";

/** Quiet, with WebGPU where only software computes it, and without the sandbox that root cannot have. */
export const chromiumArguments: readonly string[] = [
  "--enable-unsafe-webgpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];
