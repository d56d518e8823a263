import { browserProject } from "./source/browser-project.js";

// The laws of rules do not depend on the engine, and their suites compare devices and forms in Node already; sample matrices
// themselves are tested here.
export default browserProject(
  "chromium",
  [
    "packages/{tensor,autograd,nn}/test/**/*.test.ts",
    "packages/aggregators/test/!(built-in-rules|byzantine-rules|forms).test.ts",
    "tooling/browser/training/*.test.ts",
  ],
  true,
);
