import { exitStatus } from "../failure.js";
import { run } from "../program.js";
import { readLeaderboardCommandLine } from "./command-line.js";

process.exitCode = await run(async (args, surroundings) => {
  const request = readLeaderboardCommandLine(args, (text) => process.stdout.write(text));
  if (request === null) return exitStatus.success;
  const { runLeaderboard } = await import("./run-leaderboard.js");
  return runLeaderboard(request, surroundings);
});
