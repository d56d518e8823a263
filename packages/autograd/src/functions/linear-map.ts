import type { Tensor } from "@robgrad/tensor";
import { FunctionNode } from "../function-node.js";

/** A node linear in its one input: what it does to values it does to tangents. */
export abstract class LinearMap extends FunctionNode {
  override forwardTangent(tangents: readonly (Tensor | null)[]): readonly Tensor[] {
    return this.forward(tangents as readonly Tensor[]);
  }
}
