import { asFailure, exitStatus } from "./failure.js";
import type { Surroundings } from "./run-study.js";

/**
 * Runs a program: Ctrl-C asks it to stop and then ends it, and what goes wrong is one line with a code.
 *
 * @param main  Takes the arguments and what it may talk to, answers the exit status.
 */
export async function run(
  main: (args: readonly string[], surroundings: Surroundings) => Promise<number>,
): Promise<number> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // The listener stays: a file that is being written has one too, which ends the process if it finds itself alone.
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(exitStatus.interrupted);
      stop.abort();
    });
  }
  try {
    // Some package managers hand on the `--` that ends their own options.
    return await main(process.argv.slice(process.argv[2] === "--" ? 3 : 2), {
      // A package manager runs scripts in the project's folder and says here where the person is.
      directory: process.env.INIT_CWD ?? process.cwd(),
      signal: stop.signal,
      print: (text) => process.stdout.write(`${text}\n`),
      warn: (text) => process.stderr.write(`${text}\n`),
      terminal: process.stderr,
    });
  } catch (error) {
    const { code, message, status, cause } = asFailure(error);
    process.stderr.write(`error ${code}: ${message}\n`);
    if (cause !== undefined && process.env.DEBUG)
      process.stderr.write(`${cause instanceof Error ? cause.stack : String(cause)}\n`);
    return status;
  }
}
