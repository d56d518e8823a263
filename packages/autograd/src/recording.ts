import type { Tensor } from "@robgrad/tensor";
import type { FunctionNode } from "./function-node.js";
import type { VariableNode } from "./variable-node.js";
import type { Variable } from "./variable.js";

/** Forward mode while a function runs: which Variables carry tangents, and what becomes of them. */
export interface ForwardMode {
  /** Whether a Variable has a tangent. */
  carries(variable: Variable): boolean;
  /** The tangents of a Variable. */
  carried(variable: Variable): readonly Variable[];
  /** Gives a Variable of the same value the same tangents. */
  follow(from: Variable, to: Variable): void;
  /**
   * Gives the outputs of a node their tangents.
   *
   * @returns  Whether the node is needed later, to go backward through the tangents.
   */
  applied(node: FunctionNode, inputs: readonly Variable[], outputs: readonly Variable[]): boolean;
}

/** Whether graphs are recorded; shared by every copy of the package, so that two copies agree. */
interface Recording {
  /** Not 0 inside `noGrad`. */
  paused: number;
  /** Counts applied nodes; a node has a larger number than everything it depends on. */
  sequence: number;
  /** null unless tangents are carried along. */
  forward: ForwardMode | null;
  /** What counts as requiring a gradient, whether it asked for one or not. */
  leaves: ReadonlySet<VariableNode> | null;
}

const key = Symbol.for("robgrad.recording");

const state = ((globalThis as { [key]?: Recording })[key] ??= { paused: 0, sequence: 0, forward: null, leaves: null });

/**
 * Whether a graph is recorded or tangents are carried along: in a node's `backward` it tells whether the gradients will
 * be differentiated themselves, so that a cheaper form may do when they will not.
 *
 * @example  noGrad(() => isRecording()) // false
 */
export function isRecording(): boolean {
  return state.paused === 0 || state.forward !== null;
}

/** Forward mode, if a function runs in it. */
export function forwardMode(): ForwardMode | null {
  return state.forward;
}

/** Whether what is made of a Variable is to be differentiated. */
export function isFollowed(x: Variable): boolean {
  return isTaped(x.node) || state.forward?.carries(x) === true;
}

/** Whether nodes that are applied to it are kept for a walk back. */
export function isTaped(node: VariableNode): boolean {
  return state.paused === 0 && (node.requiresGrad || state.leaves?.has(node) === true);
}

/** The tensors of a Variable and of its tangents. */
export function* tensorsOf(x: Variable): Generator<Tensor> {
  yield x.current;
  for (const tangent of state.forward?.carried(x) ?? []) yield* tensorsOf(tangent);
}

/** The number of the next node. */
export function nextSequence(): number {
  return ++state.sequence;
}

/**
 * Runs `work` without recording a graph: its results need no gradient, carry no tangent and retain nothing.
 *
 * @param work  Called once, at once.
 * @returns     What `work` returns.
 * @example     noGrad(() => new Variable(device.ones([2])).mul(2)).requiresGrad
 */
export function noGrad<R>(work: () => R extends PromiseLike<unknown> ? never : R): R {
  return within(1, null, work as () => R);
}

/**
 * Runs `work` with recording on, whatever surrounds it.
 *
 * @param leaves  Count as requiring a gradient.
 */
export function withGrad<R>(work: () => R, leaves = state.leaves): R {
  return within(0, state.forward, work, leaves);
}

/** Runs `work` with tangents carried along, recording as around it. */
export function withForward<R>(forward: ForwardMode | null, work: () => R): R {
  return within(state.paused, forward, work);
}

function within<R>(paused: number, forward: ForwardMode | null, work: () => R, leaves = state.leaves): R {
  const before = { paused: state.paused, forward: state.forward, leaves: state.leaves };
  Object.assign(state, { paused, forward, leaves });
  try {
    return work();
  } finally {
    Object.assign(state, before);
  }
}
