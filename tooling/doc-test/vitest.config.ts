import { project } from "@tooling/vitest";

export default project({ test: { testTimeout: 120_000 } });
