import { project } from "@tooling/vitest";

export default project({ test: { globalSetup: "test/build-site.ts" } });
