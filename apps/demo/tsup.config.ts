import { program } from "@tooling/tsup";

export default program({
  cli: "src/cli/main.ts",
  worker: "src/cli/worker.ts",
  regression: "src/cli/regression/main.ts",
});
