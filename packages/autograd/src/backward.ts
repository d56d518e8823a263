import { codedError } from "@robgrad/tensor";
import { checkGradient, place } from "./function-node.js";
import { reachable } from "./graph.js";
import { makeVariable, type VariableNode } from "./variable-node.js";
import type { Variable } from "./variable.js";

/** Zeros in the shape of a Variable, in the memory of one number. */
export function zerosFor({ device, dtype, shape }: VariableNode): Variable {
  return makeVariable(device.zeros([], { dtype }).broadcastTo(shape));
}

/** Ones in the shape of a Variable, in the memory of one number. */
export function onesFor({ device, dtype, shape }: VariableNode): Variable {
  return makeVariable(device.ones([], { dtype }).broadcastTo(shape));
}

/** Gradients on their way back, added up per Variable. */
export class Gradients {
  readonly #found = new Map<VariableNode, Variable>();

  get(node: VariableNode): Variable | undefined {
    return this.#found.get(node);
  }

  add(subject: string, node: VariableNode, gradient: Variable): void {
    checkGradient(subject, gradient, node);
    const before = this.#found.get(node);
    this.#found.set(node, before === undefined ? gradient : before.add(gradient));
  }

  [Symbol.iterator](): IterableIterator<[VariableNode, Variable]> {
    return this.#found.entries();
  }

  /** Forgets a gradient that has been passed on. */
  take(node: VariableNode): void {
    this.#found.delete(node);
  }

  /** Gradients in a node's outputs, zeros for those that none has reached; undefined when none has. */
  outputs(outputs: readonly VariableNode[]): Variable[] | undefined {
    if (!outputs.some((output) => this.#found.has(output))) return undefined;
    return outputs.map((output) => this.#found.get(output) ?? zerosFor(output));
  }
}

/**
 * Walks the graph back from one Variable.
 *
 * @param wanted  The Variables whose gradients are asked for; null for every leaf that requires one.
 * @param retain  Called with the gradient of every intermediate Variable, when it is complete.
 * @param ends    Variables to go no further back than.
 */
export function propagate(
  from: VariableNode,
  seed: Variable,
  wanted: ReadonlySet<VariableNode> | null,
  retain?: (node: VariableNode, gradient: Variable) => void,
  ends?: ReadonlySet<VariableNode>,
): Gradients {
  checkGradient("backward", seed, from);
  const gradients = new Gradients();
  gradients.add("backward", from, seed);
  const nodes = reachable([from], ends);
  const leading = wanted === null ? null : new Set<VariableNode>(wanted);
  if (leading !== null) {
    for (const node of [...nodes].reverse()) {
      const { inputs, outputs } = node[place];
      if (inputs.some((input) => leading.has(input))) for (const output of outputs) leading.add(output);
    }
  }
  for (const node of nodes) {
    const { inputs, outputs } = node[place];
    const wants = (input: VariableNode) => leading?.has(input) ?? input.requiresGrad;
    if (!inputs.some(wants)) continue;
    const gradOutputs = gradients.outputs(outputs);
    if (gradOutputs === undefined) continue;
    outputs.forEach((output, k) => {
      retain?.(output, gradOutputs[k] as Variable);
      if (wanted?.has(output) !== true) gradients.take(output);
    });
    const thunks = node.backward(gradOutputs);
    if (thunks.length > inputs.length) {
      throw codedError(
        "BAD_ARGUMENT",
        `${node.label}.backward: expected one thunk for each of ${inputs.length} inputs, found ${thunks.length}`,
      );
    }
    inputs.forEach((input, k) => {
      const thunk = thunks[k];
      if (thunk !== null && thunk !== undefined && wants(input))
        gradients.add(`${node.label}.backward, input ${k}`, input, thunk());
    });
  }
  return gradients;
}
