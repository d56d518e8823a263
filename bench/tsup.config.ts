import { program } from "@tooling/tsup";

export default [
  program(
    { main: "src/main.ts", worker: "src/worker.ts", rules: "src/rules.ts" },
    // Everything stays an import but gradients of TensorFlow.js, which its package has in a form that only bundlers read.
    { skipNodeModulesBundle: true, noExternal: [/^demo\//, /register_all_gradients/, "long", "seedrandom"] },
  ),
  // One file for machines that have nothing but it and Dawn.
  program({ gpu: "src/gpu/main.ts" }, { outDir: "gpu/dist", splitting: false, noExternal: [/.*/] }),
];
