import { chromiumFromNpm, runsHere } from "@tooling/vitest/chromium-from-npm";
import type { LaunchOptions } from "playwright";
import { findProgram, type Whereabouts } from "./find-program.js";

export const chromium: Whereabouts = {
  variable: "CHROMIUM_PATH",
  names: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
  places: [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/opt/google/chrome/chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  ],
};

/** What to do where there is none. */
export const chromiumMissing = "install Chromium or Chrome, or name its program in CHROMIUM_PATH";

/** Quiet, with WebGPU where only software computes it, and without the sandbox that root cannot have. */
const chromiumArguments: readonly string[] = [
  "--enable-unsafe-webgpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];

/**
 * How to start Chromium: the one that is installed, or else, on Linux, the one of a package of npm.
 *
 * @returns  Undefined where there is none, and where CHROMIUM_PATH is empty.
 */
export function chromiumLaunch(): LaunchOptions | undefined {
  const args = [...chromiumArguments];
  const executablePath = findProgram(chromium);
  if (executablePath !== undefined) return { executablePath, args };
  if (!runsHere || process.env["CHROMIUM_PATH"] === "") return undefined;
  const ours = chromiumFromNpm();
  return { executablePath: ours.executablePath, args, env: { ...process.env, LD_LIBRARY_PATH: ours.libraries } };
}
