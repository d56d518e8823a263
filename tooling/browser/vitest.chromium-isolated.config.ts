import { browserProject } from "./source/browser-project.js";

// The laws of rules do not depend on the engine, and the suite of each compares devices in Node already.
export default browserProject(
  "chromium",
  [
    "packages/{tensor,autograd,nn}/test/**/*.test.ts",
    "packages/aggregators/test/!(built-in-rules).test.ts",
    "tooling/browser/training/*.test.ts",
  ],
  true,
);
