import type { Device, DType, Tensor } from "@robgrad/tensor";
import type { FunctionNode } from "./function-node.js";
import type { Variable } from "./variable.js";

/**
 * What the graph knows of a Variable: all but its value. Graphs hold these, so that a value which no node retained can
 * be freed while the graph lives.
 */
export class VariableNode {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly device: Device;
  readonly requiresGrad: boolean;
  readonly creator: FunctionNode | null;
  /** Which of its creator's outputs it is. */
  readonly outputIndex: number;
  name: string | undefined;
  grad: Variable | null = null;

  constructor(
    value: Tensor,
    requiresGrad: boolean,
    name: string | undefined,
    creator: FunctionNode | null,
    outputIndex: number,
  ) {
    this.shape = value.shape;
    this.dtype = value.dtype;
    this.device = value.device;
    this.requiresGrad = requiresGrad;
    this.name = name;
    this.creator = creator;
    this.outputIndex = outputIndex;
  }
}

type VariableMaker = (value: Tensor, node: VariableNode) => Variable;

let maker: VariableMaker | undefined;

/** Called by the class, whose methods import the nodes that make Variables: they cannot import it in turn. */
export function registerVariable(make: VariableMaker): void {
  maker = make;
}

export function makeVariable(
  value: Tensor,
  requiresGrad = false,
  creator: FunctionNode | null = null,
  outputIndex = 0,
): Variable {
  return (maker as VariableMaker)(value, new VariableNode(value, requiresGrad, undefined, creator, outputIndex));
}

const brand: unique symbol = Symbol.for("robgrad.variable");

export function isVariable(value: unknown): value is Variable {
  return typeof value === "object" && value !== null && brand in value;
}
