import { readCommandLine } from "./command-line.js";
import { exitStatus } from "./failure.js";
import { run } from "./program.js";

process.exitCode = await run(async (args, surroundings) => {
  const request = readCommandLine(args, (text) => process.stdout.write(text));
  if (request === null) return exitStatus.success;
  const { runStudy } = await import("./run-study.js");
  return runStudy(request, surroundings);
});
