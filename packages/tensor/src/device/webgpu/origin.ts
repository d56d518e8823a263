/** Lines of a stack that belong to robgrad itself or to the runtime. */
const own =
  /\(?(node:|<anonymous>)|[/\\]@robgrad[/\\]|[/\\]packages[/\\](tensor|autograd|nn|aggregators)[/\\](src|dist)[/\\]/;

/** The line of the caller's code that this work is part of; empty where the stack does not reach it. */
export function originOfCall(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 40;
  const lines = (new Error().stack ?? "").split("\n").slice(1);
  Error.stackTraceLimit = stackTraceLimit;
  return (lines.find((line) => /\d/.test(line) && !own.test(line)) ?? "").trim();
}
