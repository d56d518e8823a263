import { project } from "@tooling/vitest";

export default project({ test: { globalSetup: "test/program.ts", testTimeout: 120_000, hookTimeout: 120_000 } });
