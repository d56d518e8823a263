import { fileURLToPath } from "node:url";
import { playwright } from "@vitest/browser-playwright";
import { defaultClientConditions } from "vite";
import { defineProject, type UserProjectConfigExport } from "vitest/config";
import { chromiumArguments, findChromium } from "./chromium.js";

declare module "vitest" {
  interface ProvidedContext {
    isolated: boolean;
    /** Of the environment, what tests look at. */
    environment: Record<string, string>;
  }
}

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
 * Tests of packages, run in headless Chromium against their sources; without Chromium one test that says so.
 *
 * @param include   Files, as patterns from the root of the repository.
 * @param isolated  Whether the page may share memory between threads.
 */
export function browserProject(include: readonly string[], isolated: boolean): UserProjectConfigExport {
  const name = isolated ? "Chromium, isolated" : "Chromium, not isolated";
  const executablePath = findChromium();
  if (executablePath === undefined) {
    return defineProject({ test: { name, dir: here, include: ["absent/*.test.ts"] } });
  }
  return defineProject({
    cacheDir: `${here}node_modules/.vite/${isolated ? "isolated" : "not-isolated"}`,
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
        provider: playwright({ launchOptions: { executablePath, args: [...chromiumArguments] } }),
        instances: [{ browser: "chromium" }],
      },
    },
  });
}
