import { fileURLToPath } from "node:url";
import "@tooling/vitest"; // The software adapter is in the environment that browsers inherit.
import { playwright } from "@vitest/browser-playwright";
import { defaultClientConditions } from "vite";
import { defineProject, type UserProjectConfigExport } from "vitest/config";
import type { BrowserProviderOption } from "vitest/node";
import { chromiumLaunch, chromiumMissing } from "./chromium.js";
import { findProgram } from "./find-program.js";
import { firefox, firefoxMissing, firefoxProvider } from "./firefox.js";

declare module "vitest" {
  interface ProvidedContext {
    isolated: boolean;
    /** Of the environment, what tests look at. */
    environment: Record<string, string>;
    /** What to do where the browser is missing. */
    missing: string;
  }
}

interface Engine {
  readonly name: string;
  /** As vitest calls it. */
  readonly browser: string;
  readonly missing: string;
  /** Undefined where the browser is missing. */
  readonly provider: () => BrowserProviderOption | undefined;
}

const engines: Readonly<Record<"chromium" | "firefox", Engine>> = {
  chromium: {
    name: "Chromium",
    browser: "chromium",
    missing: chromiumMissing,
    provider: () => {
      const launchOptions = chromiumLaunch();
      return launchOptions && playwright({ launchOptions });
    },
  },
  firefox: {
    name: "Firefox",
    browser: "firefox",
    missing: firefoxMissing,
    provider: () => {
      const executablePath = findProgram(firefox);
      return executablePath === undefined ? undefined : firefoxProvider(executablePath);
    },
  },
};

const here = fileURLToPath(new URL("..", import.meta.url));
const repository = fileURLToPath(new URL("../../..", import.meta.url));

/** Pages do not see it: whether an absent device is a failure, and which devices are wanted. */
const environment = Object.fromEntries(
  ["CI", "ROBGRAD_DEVICES"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

/** Tests of packages that stay in Node, and why. */
const inNodeOnly = [
  "**/*.node.test.ts", // They are about Node: its console, realms, processes, module loader or file system.
];

const isolatingHeaders = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/**
 * Tests of packages, run in a browser without a window against their sources; without the browser one test that says so.
 *
 * @param include   Files, as patterns from the root of the repository.
 * @param isolated  Whether the page may share memory between threads.
 */
export function browserProject(
  engine: keyof typeof engines,
  include: readonly string[],
  isolated: boolean,
): UserProjectConfigExport {
  const { browser, missing, ...found } = engines[engine];
  const isolation = isolated ? "isolated" : "not isolated";
  const name = `${found.name}, ${isolation}`;
  const provider = found.provider();
  if (provider === undefined) {
    return defineProject({ test: { name, dir: here, include: ["absent/*.test.ts"], provide: { missing } } });
  }
  return defineProject({
    cacheDir: `${here}node_modules/.vite/${engine}-${isolation.replace(" ", "-")}`,
    resolve: { conditions: ["@robgrad/source", ...defaultClientConditions] },
    server: { headers: isolated ? isolatingHeaders : {} },
    optimizeDeps: { include: ["fast-check"] },
    test: {
      name,
      dir: repository,
      include: ["tooling/browser/isolation/*.test.ts", ...include],
      exclude: ["**/node_modules/**", ...inNodeOnly],
      setupFiles: [`${here}source/environment.ts`, `${here}source/same-cases.ts`],
      testTimeout: 120_000,
      provide: { isolated, environment },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider,
        instances: [{ browser: browser as "chromium" }],
      },
    },
  });
}
