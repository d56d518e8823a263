import { browserProject } from "./source/browser-project.js";

// Firefox is slow on a software adapter: these are what engines differ in, and every form of kernel, sample matrix,
// and many routines and rules.
export default browserProject(
  "firefox",
  [
    "packages/tensor/test/{cell,device,faults,history,iterate,random,scope}.test.ts",
    "packages/tensor/test/{capture,kernel,samples,wasm}/**/*.test.ts",
    "packages/tensor/test/ops/{matmul,sorting}.test.ts",
    "packages/tensor/test/webgpu/**/*.test.ts",
    "packages/autograd/test/{capture,forward-mode,functions,sample-gradients,transforms,variable}.test.ts",
    "packages/nn/test/{devices,links,losses,optimizers}.test.ts",
    "packages/aggregators/test/{aggregate,devices,median-of-means}.test.ts",
    "tooling/browser/training/*.test.ts",
  ],
  true,
);
