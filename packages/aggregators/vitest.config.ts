import { project } from "@tooling/vitest";

export default project({ test: { setupFiles: ["test/same-cases.ts"] } });
