// @ts-check
import { defaultServerConditions } from "vite";
import { defineProject, mergeConfig } from "vitest/config";
import { offerSoftwareAdapter } from "./software-adapter.js";

const conditions = ["@robgrad/source", ...defaultServerConditions];

offerSoftwareAdapter();

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
