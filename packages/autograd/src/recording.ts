/** Whether graphs are recorded; shared by every copy of the package, so that two copies agree. */
interface Recording {
  /** How many `noGrad` calls are running. */
  paused: number;
  /** Counts applied nodes; a node has a larger number than everything it depends on. */
  sequence: number;
}

const key = Symbol.for("robgrad.recording");

const state = ((globalThis as { [key]?: Recording })[key] ??= { paused: 0, sequence: 0 });

/**
 * Whether a graph is recorded: in a node's `backward` it tells whether the gradients will be differentiated themselves,
 * so that a cheaper form may do when they will not.
 *
 * @example  noGrad(() => isRecording()) // false
 */
export function isRecording(): boolean {
  return state.paused === 0;
}

/** The number of the next node. */
export function nextSequence(): number {
  return ++state.sequence;
}

/**
 * Runs `work` without recording a graph: its results need no gradient and retain nothing.
 *
 * @param work  Called once, at once.
 * @returns     What `work` returns.
 * @example     noGrad(() => new Variable(device.ones([2])).mul(2)).requiresGrad
 */
export function noGrad<R>(work: () => R extends PromiseLike<unknown> ? never : R): R {
  state.paused++;
  try {
    return work();
  } finally {
    state.paused--;
  }
}

/** Runs `work` with recording on, whatever surrounds it. */
export function withGrad<R>(work: () => R): R {
  const { paused } = state;
  state.paused = 0;
  try {
    return work();
  } finally {
    state.paused = paused;
  }
}
