import { hasCode } from "@robgrad/tensor";

/** Exit status of the program. */
export const exitStatus = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** Why a command could not be carried out, for the person who gave it: one line and a stable code, no stack. */
export class Failure extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number = exitStatus.failure,
  ) {
    super(message);
  }
}

/** An option or a value of one that cannot be. */
export const usageFailure = (message: string): Failure => new Failure("BAD_ARGUMENT", message, exitStatus.usage);

/** What `read` makes of an option; a coded error of it is one of usage. */
export function asked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!hasCode(error)) throw error;
    throw usageFailure(firstLine(error));
  }
}

/** A rule that somebody wrote and that does not work. */
export const pluginFailure = (specifier: string, error: unknown): Failure =>
  new Failure("BAD_PLUGIN", `--aggregator ${specifier}: ${firstLine(error)}`);

/** A file that cannot be read or written. */
export const fileFailure = (subject: string, error: unknown): Failure =>
  new Failure("IO_FAILED", `${subject}: ${firstLine(error)}`);

/** Any error as a failure; what carries no code of ours is a defect of this program and keeps its stack as `cause`. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const ours = hasCode(error) && !/^(ERR_|E[A-Z]+$)/.test(error.code);
  if (ours) return new Failure(error.code, firstLine(error));
  const failure = new Failure("INTERNAL", firstLine(error));
  failure.cause = error;
  return failure;
}

export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return message.split("\n", 1)[0]!;
}
