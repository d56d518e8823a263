import { SingleBar } from "cli-progress";

/** A bar on a terminal, nothing elsewhere. */
export interface Progress {
  advance(): void;
  stop(): void;
}

export function showProgress(total: number, done: number, stream: NodeJS.WriteStream, unit = "trials"): Progress {
  if (!stream.isTTY || total === done) return { advance() {}, stop() {} };
  const bar = new SingleBar({
    format: `  {bar} {value}/{total} ${unit} · {eta_formatted} left`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    stream,
  });
  bar.start(total, done);
  return { advance: () => bar.increment(), stop: () => bar.stop() };
}
