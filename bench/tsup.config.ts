import { program } from "@tooling/tsup";

export default program({ main: "src/main.ts", worker: "src/worker.ts" });
