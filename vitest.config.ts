import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      "{packages,apps,tooling}/*/vitest.config.ts",
      "tooling/browser/vitest.*.config.ts",
      "{integration,bench}/vitest.config.ts",
    ],
    silent: "passed-only",
  },
});
