import { browserProject } from "./source/browser-project.js";

export default browserProject(
  "chromium",
  ["packages/{tensor,autograd,nn,aggregators}/test/**/*.test.ts", "tooling/browser/training/*.test.ts"],
  true,
);
