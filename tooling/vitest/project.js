// @ts-check
import { existsSync } from "node:fs";
import { defaultServerConditions } from "vite";
import { defineProject, mergeConfig } from "vitest/config";

const conditions = ["@robgrad/source", ...defaultServerConditions];

// Where there is no graphics card, WebGPU in Node computes by the software adapter of Debian's Chromium.
const softwareAdapter = "/usr/lib/chromium/vk_swiftshader_icd.json";
if (process.env["VK_ICD_FILENAMES"] === undefined && existsSync(softwareAdapter)) {
  process.env["VK_ICD_FILENAMES"] = softwareAdapter;
}

/** Tests of one workspace package, run against the sources of all of them. */
export const project = (overrides = {}) =>
  mergeConfig(
    defineProject({
      resolve: { conditions },
      ssr: { resolve: { conditions, externalConditions: conditions } },
      test: {
        include: ["test/**/*.test.ts"],
        environment: "node",
        testTimeout: 120_000,
      },
    }),
    overrides,
  );
