import type { ComponentChildren } from "preact";
import { workersInBackground } from "../background.js";

interface BackgroundProgressProps {
  /** What is counted. */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly going: boolean;
  readonly onToggle: () => void;
  readonly children: ComponentChildren;
}

/** How far work in the background is, and a button that stops it and goes on. */
export function BackgroundProgress({ label, done, total, going, onToggle, children }: BackgroundProgressProps) {
  const finished = done >= total;
  const workers = `${workersInBackground} worker${workersInBackground === 1 ? "" : "s"}`;
  return (
    <div class="progress">
      <button type="button" class="main" disabled={finished} onClick={onToggle}>
        {going || finished ? "Stop" : "Go on"}
      </button>
      <div>
        <progress aria-label={label} value={done} max={Math.max(1, total)} />
        <p>{children}</p>
        <p class="hint" role="status">
          {finished ? "Finished." : going ? `Computing in the background, in ${workers}.` : "Stopped."}
        </p>
      </div>
    </div>
  );
}
