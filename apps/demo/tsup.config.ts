import { program } from "@tooling/tsup";

export default program({
  cli: "src/cli/main.ts",
  worker: "src/cli/worker.ts",
  regression: "src/cli/regression/main.ts",
  leaderboard: "src/cli/leaderboard/main.ts",
  "leaderboard-worker": "src/cli/leaderboard/worker.ts",
});
