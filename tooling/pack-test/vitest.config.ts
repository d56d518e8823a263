import { project } from "@tooling/vitest";

export default project({ test: { testTimeout: 300_000, hookTimeout: 300_000 } });
