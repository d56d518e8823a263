import { pad as padTensor, type Tensor } from "@robgrad/tensor";
import { apply, input, mapExpression, reduceFormula, substitute } from "@robgrad/tensor/kernels";
import { place, type FunctionNode } from "./function-node.js";
import { BroadcastToFunction } from "./functions/broadcast-to.js";
import { CastFunction } from "./functions/cast.js";
import { ConcatFunction } from "./functions/concat.js";
import { CumsumFunction } from "./functions/cumsum.js";
import { ElementwiseFunction, partial } from "./functions/elementwise.js";
import { ExtremumFunction } from "./functions/extremum.js";
import { GatherFunction } from "./functions/gather.js";
import { LinearFunction } from "./functions/linear.js";
import { LogSumExpFunction } from "./functions/log-sum-exp.js";
import { MatmulFunction } from "./functions/matmul.js";
import { PadFunction } from "./functions/pad.js";
import { PermuteFunction } from "./functions/permute.js";
import { ReshapeFunction } from "./functions/reshape.js";
import { ScatterAddFunction } from "./functions/scatter-add.js";
import { SliceFunction } from "./functions/slice.js";
import { SoftmaxFunction } from "./functions/softmax.js";
import { SortFunction } from "./functions/sort.js";
import { keptShape, SumFunction } from "./functions/sum.js";
import { TakeAlongAxisFunction } from "./functions/take-along-axis.js";
import type { VariableNode } from "./variable-node.js";

type Tangents = readonly (Tensor | null)[];
type Rule<N extends FunctionNode> = (node: N, tangents: Tangents) => readonly (Tensor | null)[];

/**
 * J ẋ of one node by its rule: its own `forwardTangent`, or for the library's nodes what stands here, so that programs
 * without forward mode do not carry it.
 *
 * @returns  undefined for a node without a rule.
 */
export function tangentsBy(node: FunctionNode, tangents: Tangents): readonly (Tensor | null)[] | undefined {
  if (node.forwardTangent !== undefined) return node.forwardTangent(tangents);
  return rules().get(node.constructor)?.(node, tangents);
}

let known: ReadonlyMap<unknown, Rule<FunctionNode>> | undefined;

function rules(): ReadonlyMap<unknown, Rule<FunctionNode>> {
  return (known ??= new Map([
    // Linear in their one input: what they do to values they do to tangents.
    rule(BroadcastToFunction, same),
    rule(CastFunction, same),
    rule(CumsumFunction, same),
    rule(GatherFunction, same),
    rule(PermuteFunction, same),
    rule(ReshapeFunction, same),
    rule(ScatterAddFunction, same),
    rule(SliceFunction, same),
    rule(SumFunction, same),
    rule(TakeAlongAxisFunction, same),
    rule(ConcatFunction, (node, tangents) => {
      const { device, dtype } = first(tangents);
      const zero = device.zeros([], { dtype });
      return node.forward(tangents.map((dx, k) => dx ?? zero.broadcastTo(inputShape(node, k))));
    }),
    rule(ElementwiseFunction, elementwise),
    rule(ExtremumFunction, ({ shares, axes, keepdims }, [dx]) => [
      (dx as Tensor).mul(shares as Tensor).sum({ axis: axes, keepdims }),
    ]),
    rule(LinearFunction, (node, [dx, dW, db]) => [
      added(
        dx?.matmul(value(node, 1).transpose()),
        dW && value(node, 0).matmul(dW.transpose()),
        db?.broadcastTo(outputShape(node)),
      ),
    ]),
    rule(LogSumExpFunction, (node, [dx]) => {
      const { axes, keepdims } = node;
      const y = result(node).reshape(keptShape(inputShape(node, 0), axes));
      return [reduceFormula("sum", weighted(), [value(node, 0), y, dx as Tensor], { axis: axes, keepdims })];
    }),
    rule(MatmulFunction, (node, [da, db]) => [added(da?.matmul(value(node, 1)), db && value(node, 0).matmul(db))]),
    rule(PadFunction, ({ widths }, [dx]) => [padTensor(dx as Tensor, widths)]),
    rule(SoftmaxFunction, (node, [dx]) => {
      const tangent = dx as Tensor;
      const y = result(node);
      const p = node.log ? y.exp() : y;
      const centred = tangent.sub(tangent.mul(p).sum({ axis: node.axis, keepdims: true }));
      return [node.log ? centred : centred.mul(p)];
    }),
    rule(SortFunction, ({ axis, order }, [dx]) => [(dx as Tensor).takeAlongAxis(order as Tensor, { axis })]),
  ]));
}

function rule<N extends FunctionNode>(
  type: abstract new (...args: never[]) => N,
  of: Rule<N>,
): readonly [type: unknown, rule: Rule<FunctionNode>] {
  return [type, of as Rule<FunctionNode>];
}

function same(node: FunctionNode, tangents: Tangents): readonly Tensor[] {
  return node.forward(tangents as readonly Tensor[]);
}

/** Σₖ ∂f/∂xₖ ẋₖ in one kernel. */
function elementwise(node: ElementwiseFunction, tangents: Tangents): readonly (Tensor | null)[] {
  const operands: Tensor[] = [];
  const terms = tangents.flatMap((tangent, k) => {
    const derivative = tangent === null ? null : partial(node.formula, k);
    if (derivative === null) return [];
    const at = operands.length;
    for (const read of derivative.reads) {
      operands.push(read === "gradOutput" ? (tangent as Tensor) : read === "output" ? result(node) : value(node, read));
    }
    return [substitute(derivative.body, (index) => input(at + index))];
  });
  if (terms.length === 0) return [null];
  const sum = terms.reduce((a, b) => apply("add", a, b));
  return [mapExpression(node.label, sum, operands).broadcastTo(outputShape(node))];
}

/** exp(x − y) ẋ */
const weighted = () => apply("mul", apply("exp", apply("sub", input(0), input(1))), input(2));

function first(tangents: Tangents): Tensor {
  return tangents.find((tangent) => tangent !== null) as Tensor;
}

function added(...terms: readonly (Tensor | null | undefined)[]): Tensor {
  return terms.flatMap((term) => term ?? []).reduce((a, b) => a.add(b));
}

const value = (node: FunctionNode, k: number) => node[place].retainedInputs.get(k)?.variable.current as Tensor;
const result = (node: FunctionNode) => node[place].retainedOutputs.get(0)?.variable.current as Tensor;
const inputShape = (node: FunctionNode, k: number) => (node[place].inputs[k] as VariableNode).shape;
const outputShape = (node: FunctionNode) => (node[place].outputs[0] as VariableNode).shape;
