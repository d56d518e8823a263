import { codedError, type Tensor } from "@robgrad/tensor";
import { isFloating, ownedTensors } from "@robgrad/tensor/kernels";
import { onesFor, propagate, zerosFor } from "./backward.js";
import { checkGradient, FunctionNode, place, type GradientThunk } from "./function-node.js";
import { forwardMode, noGrad, withForward, withGrad, type ForwardMode } from "./recording.js";
import { tangentsBy } from "./tangents.js";
import { makeVariable, type VariableNode } from "./variable-node.js";
import { type Variable } from "./variable.js";

/** Tangents of one Variable along every direction of a sweep; null where there is none. */
export type Tangents = readonly (Variable | null)[];

/**
 * One sweep of forward mode: tangents along one or several directions, made beside the values.
 *
 * Sweeps nest. What makes a tangent is a node itself, so that the sweeps around see it, and so does a walk back.
 */
export class TangentSweep implements ForwardMode {
  readonly #around = forwardMode();
  readonly #tangents = new WeakMap<Variable, Tangents>();
  readonly #directions: number;

  constructor(directions: number) {
    this.#directions = directions;
  }

  /** Gives a Variable its tangents. */
  start(x: Variable, tangents: Tangents): void {
    this.#tangents.set(x, tangents);
  }

  tangentsOf(x: Variable): Tangents {
    return this.#tangents.get(x) ?? Array.from({ length: this.#directions }, () => null);
  }

  carried(x: Variable): readonly Variable[] {
    const own = this.#tangents.get(x) ?? [];
    return [...own.filter((tangent) => tangent !== null), ...(this.#around?.carried(x) ?? [])];
  }

  carries(x: Variable): boolean {
    return this.#tangents.has(x) || this.#around?.carries(x) === true;
  }

  follow(from: Variable, to: Variable): void {
    this.#around?.follow(from, to);
    const tangents = this.#tangents.get(from);
    if (tangents !== undefined) this.#tangents.set(to, tangents);
  }

  applied(node: FunctionNode, inputs: readonly Variable[], outputs: readonly Variable[]): boolean {
    let used = this.#around?.applied(node, inputs, outputs) === true;
    const given = inputs.map((x) => this.tangentsOf(x));
    const found = Array.from({ length: this.#directions }, (_, direction) => {
      const tangents = given.map((list) => list[direction] ?? null);
      return withForward(this.#around, () => pushed(node, inputs, tangents, outputs));
    });
    outputs.forEach((output, k) => {
      const tangents = found.map((list) => list[k] ?? null);
      if (tangents.every((tangent) => tangent === null)) return;
      this.#tangents.set(output, tangents);
      used ||= tangents.some((tangent) => tangent?.requiresGrad);
    });
    return used;
  }
}

/** ẏ = J ẋ of one node, for every output that has a derivative. */
function pushed(
  node: FunctionNode,
  inputs: readonly Variable[],
  tangents: Tangents,
  outputs: readonly Variable[],
): Tangents {
  const moving = [...tangents.keys()].filter((k) => tangents[k] !== null);
  const smooth = [...outputs.keys()].filter((k) => isFloating((outputs[k] as Variable).dtype));
  if (moving.length === 0 || smooth.length === 0) return [];
  const made = new TangentFunction(node, moving, smooth).apply(
    ...inputs,
    ...moving.map((k) => tangents[k] as Variable),
  );
  return outputs.map((_, k) => made[smooth.indexOf(k)] ?? null);
}

/** The tangents of a node's outputs as a function of its inputs and their tangents. */
class TangentFunction extends FunctionNode {
  readonly #node: FunctionNode;
  /** Inputs of the node that have a tangent. */
  readonly #moving: readonly number[];
  /** Outputs of the node that have one. */
  readonly #smooth: readonly number[];

  constructor(node: FunctionNode, moving: readonly number[], smooth: readonly number[]) {
    super();
    this.#node = node;
    this.#moving = moving;
    this.#smooth = smooth;
  }

  override get label(): string {
    return `${this.#node.label}Tangent`;
  }

  forward(tensors: readonly Tensor[]): readonly Tensor[] {
    const { inputs, outputs } = this.#node[place];
    const moving = this.#moving.map((k, at) => [k, inputs.length + at] as const);
    this.retainInputs(...moving.map(([, at]) => at));
    const places = new Map(moving);
    const tangents = inputs.map((_, k) => tensors[places.get(k) ?? -1] ?? null);
    const found = tangentsBy(this.#node, tangents) ?? twiceBack(this.#node, tangents);
    return this.#smooth.map((k) => {
      const output = outputs[k] as VariableNode;
      const tangent = found[k] ?? zerosFor(output).value;
      checkGradient(`${this.#node.label}.forwardTangent`, tangent, output, "a tangent");
      return tangent;
    });
  }

  backward(gradOutputs: readonly Variable[]): readonly GradientThunk[] {
    const { inputs, outputs } = this.#node[place];
    const smooth = new Map(this.#smooth.map((k, at) => [k, gradOutputs[at] as Variable]));
    const upstream = outputs.map((output, k) => smooth.get(k) ?? zerosFor(output));
    let found: readonly (Variable | undefined)[] | null = null;
    const gradients = () => (found ??= this.#inInputs(upstream));
    const back = this.#node.backward(upstream);
    return [
      // A Variable that is an input twice gets its gradient once.
      ...inputs.map((input, k) => (inputs.indexOf(input) === k ? () => gradients()[k] ?? zerosFor(input) : null)),
      ...this.#moving.map((k) => back[k] ?? null),
    ];
  }

  /** ∂⟨g, J ẋ⟩/∂x for every input x, found as the gradient of ⟨Jᵀ g, ẋ⟩. */
  #inInputs(upstream: readonly Variable[]): readonly (Variable | undefined)[] {
    const { inputs, outputs } = this.#node[place];
    const wanted = new Set([...inputs, ...outputs]);
    const tangentOf = (k: number) => this.retained(inputs.length + this.#moving.indexOf(k));
    const pairing = withGrad(() => sumOf(paired(this.#node, upstream, tangentOf, this.#moving)), wanted);
    if (pairing === undefined) return [];
    const ends = new Set([...wanted, ...this[place].inputs, ...upstream.map(({ node }) => node)]);
    const found = propagate(pairing.node, onesFor(pairing.node), wanted, undefined, ends);
    // What depends on the node's outputs depends on its inputs through them.
    const through = outputs.some((output) => found.get(output))
      ? this.#node.backward(outputs.map((output) => found.get(output) ?? zerosFor(output)))
      : [];
    return inputs.map((input, k) => {
      const same = inputs.flatMap((other, at) => (other === input ? (through[at]?.() ?? []) : []));
      return [found.get(input), ...(inputs.indexOf(input) === k ? same : [])].reduce((a, b) =>
        a === undefined || b === undefined ? (a ?? b) : a.add(b),
      );
    });
  }

  /** The node's tensors, too: a walk back through a tangent needs them, even where nobody needs the node's outputs. */
  override *[ownedTensors](): Generator<Tensor> {
    yield* super[ownedTensors]();
    yield* this.#node[ownedTensors]();
  }
}

/** ⟨(Jᵀ g)ₖ, ẋₖ⟩ for every input that has a tangent and a gradient. */
function paired(
  node: FunctionNode,
  gradOutputs: readonly Variable[],
  tangentOf: (k: number) => Variable,
  moving: readonly number[],
): (readonly [k: number, pairing: Variable])[] {
  const thunks = node.backward(gradOutputs);
  return moving.flatMap((k) => {
    const gradient = thunks[k]?.();
    return gradient === undefined ? [] : [[k, gradient.mul(tangentOf(k)).sum()] as const];
  });
}

function sumOf(pairings: readonly (readonly [number, Variable])[]): Variable | undefined {
  return pairings.map(([, pairing]) => pairing).reduce<Variable | undefined>((a, b) => a?.add(b) ?? b, undefined);
}

/** J ẋ without a rule for it: Jᵀ g is linear in g, so that the gradient of ⟨Jᵀ g, ẋ⟩ in g is J ẋ whatever g is. */
function twiceBack(node: FunctionNode, tangents: readonly (Tensor | null)[]): readonly (Tensor | null)[] {
  return noGrad(() => {
    const { inputs, outputs } = node[place];
    const upstream = outputs.map((output) => makeVariable(zerosFor(output).value, isFloating(output.dtype)));
    const wanted = new Set(upstream.map((g) => g.node));
    const ends = new Set([...wanted, ...inputs]);
    const moving = [...tangents.keys()].filter((k) => tangents[k] !== null);
    const pairings = withGrad(() => paired(node, upstream, (k) => makeVariable(tangents[k] as Tensor), moving));
    const totals: (Variable | undefined)[] = outputs.map(() => undefined);
    for (const [k, pairing] of pairings) {
      const found = pairing.requiresGrad
        ? propagate(pairing.node, onesFor(pairing.node), wanted, undefined, ends)
        : undefined;
      const parts = upstream.map((g) => found?.get(g.node));
      if (parts.every((part) => part === undefined) && !(node instanceof TangentFunction)) {
        throw codedError(
          "BAD_PLUGIN",
          `${node.label}: expected forwardTangent, or a backward that makes the gradient in input ${k} of gradOutputs by operations on Variables, found neither; write forwardTangent`,
        );
      }
      parts.forEach((part, at) => (totals[at] = part === undefined ? totals[at] : (totals[at]?.add(part) ?? part)));
    }
    return totals.map((total) => total?.value ?? null);
  });
}
