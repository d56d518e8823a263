import { codedError } from "@robgrad/tensor";
import { formatShape } from "@robgrad/tensor/kernels";
import { place, type FunctionNode } from "./function-node.js";
import { isCarried, none, onAxis, settled, unknown, type SampleAxis, type SampleTracking } from "./sample-axis.js";
import { sampleFlow } from "./sample-flow.js";
import type { VariableNode } from "./variable-node.js";

const leaf: SampleAxis = { kind: "axis", axis: 0, assumed: "leaf" };

/** Where samples lie in every Variable of a graph. */
export class SampleTracker implements SampleTracking {
  readonly samples: number;
  readonly flow = sampleFlow;
  readonly #states = new Map<VariableNode, SampleAxis>();
  /** Inputs that a node treats as carrying no samples although they seem to. */
  readonly #disregarded = new Map<FunctionNode, Set<number>>();
  #node: FunctionNode | null = null;
  #silent: FunctionNode | null = null;

  readonly #wanted: ReadonlySet<VariableNode>;

  /**
   * @param nodes   Each after what it depends on.
   * @param wanted  The parameters: they carry no samples, whatever their length.
   */
  constructor(samples: number, nodes: readonly FunctionNode[], wanted: ReadonlySet<VariableNode>) {
    this.samples = samples;
    this.#wanted = wanted;
    for (const node of nodes) {
      this.#node = node;
      const { inputs, outputs } = node[place];
      const states = inputs.map((input) => this.stateOf(input));
      const state = this.#stateAfter(node, states);
      if (state.kind === "unknown" || state.kind === "scattered" || (state.kind === "none" && states.some(isCarried)))
        this.#silent ??= node;
      for (const output of outputs) this.#states.set(output, state);
    }
  }

  /** A constant with N along axis 0 carries the samples there, and so, less surely, does a leaf not asked for. */
  stateOf(node: VariableNode): SampleAxis {
    const known = this.#states.get(node);
    if (known !== undefined) return known;
    if (node.shape[0] !== this.samples || this.#wanted.has(node)) return none;
    return node.requiresGrad ? leaf : onAxis(0);
  }

  /** The first node after which it is not known where samples lie. */
  get silent(): FunctionNode | null {
    return this.#silent;
  }

  disregard(input: number): void {
    const node = this.#node as FunctionNode;
    const inputs = this.#disregarded.get(node);
    if (inputs === undefined) this.#disregarded.set(node, new Set([input]));
    else inputs.add(input);
  }

  isDisregarded(node: FunctionNode, input: number): boolean {
    return this.#disregarded.get(node)?.has(input) === true;
  }

  #stateAfter(node: FunctionNode, states: readonly SampleAxis[]): SampleAxis {
    if (node.sampleAxis !== undefined) return node.sampleAxis(states, this);
    const known = settled(states);
    if (known !== undefined) return known;
    const axisZero = (state: SampleAxis) => state.kind === "none" || (state.kind === "axis" && state.axis === 0);
    return node.backwardSamples !== undefined && states.every(axisZero) ? onAxis(0) : unknown;
  }

  /** @throws SAMPLES_MIXED unless every loss depends on one sample at most. */
  check(losses: VariableNode): void {
    const state = this.stateOf(losses);
    if (state.kind !== "mixed") return;
    throw codedError(
      "SAMPLES_MIXED",
      `sampleGradients: expected loss n of ${losses.dtype} ${formatShape(losses.shape)} to depend on sample n alone, found that ${state.node} joins samples along axis ${state.axis}; per-sample gradients do not exist for batch statistics and other sums over the batch`,
    );
  }
}
