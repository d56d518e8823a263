import { project } from "@tooling/vitest";

export default project({
  test: {
    globalSetup: ["test/program.ts", "test/web/served-page.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
