import { browserProject } from "./source/browser-project.js";

// Isolation decides whether memory can be shared, and only devices and captured steps know memory.
export default browserProject(
  "chromium",
  [
    "packages/tensor/test/*.test.ts",
    "packages/tensor/test/{capture,device,wasm}/**/*.test.ts",
    "packages/tensor/test/kernel/!(column).test.ts",
    "packages/nn/test/{devices,links,losses,optimizers}.test.ts",
  ],
  false,
);
