import { codedError, concat as concatTensors, type Tensor } from "@robgrad/tensor";
import { normalizeAxis } from "@robgrad/tensor/kernels";
import { FunctionNode, place } from "../function-node.js";
import { isCarried, none, type Alignment, type Claim, type SampleAxis, type SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { reshape } from "./reshape.js";
import { isVariable } from "../variable-node.js";
import { shapeOfOperand } from "./operand.js";

/** Operands one after the other along an axis. */
export class ConcatFunction extends FunctionNode {
  readonly #axis: number;

  constructor(axis: number) {
    super();
    this.#axis = axis;
  }

  override get label(): string {
    return "concat";
  }

  forward(inputs: readonly Tensor[]): readonly Tensor[] {
    return [concatTensors(inputs, { axis: this.#axis })];
  }

  #extents(): number[] {
    return this[place].inputs.map(({ shape }) => shape[this.#axis] as number);
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    const lead = gy.shape.slice(0, this.#axis).map(() => null);
    let start = 0;
    return this.#extents().map((extent) => {
      const range = [start, (start += extent)] as const;
      return () => gy.slice(...lead, range);
    });
  }

  override sampleAxis(states: readonly SampleAxis[], tracking: SampleTracking): SampleAxis {
    const known = tracking.flow.settled(states);
    if (known !== undefined) return known;
    const { inputs } = this[place];
    const claims = states.flatMap((state, input): Claim[] =>
      isCarried(state) ? [{ input, axis: state.axis, state }] : [],
    );
    const alignment: Alignment = {
      label: "concat",
      inputs,
      states,
      tracking,
      extent: (axis) => this.outputShape(0)[axis] as number,
      extentOf: (input, axis) => inputs[input]?.shape[axis] as number,
    };
    const left = tracking.flow.standing(alignment, claims);
    const across = left.some(({ axis }) => axis !== this.#axis);
    if (across || (left.length === 0 && states.every(({ kind }) => kind !== "single")))
      return tracking.flow.agree(alignment, claims);
    const parts = states.map((state, input) =>
      isCarried(state) && !left.some((claim) => claim.input === input) ? none : state,
    );
    return tracking.flow.chainSamples(this.#axis, parts, this.#extents(), tracking.samples);
  }
}

/**
 * Variables joined along an existing axis.
 *
 * @param variables  At least one Variable or tensor; equal shapes but for `axis`, one dtype, one device.
 * @param options    `axis`, 0 unless given, negative from the end.
 * @returns          A Variable with the extents of `axis` added up.
 * @throws           SHAPE_MISMATCH, DTYPE_MISMATCH, BAD_ARGUMENT for an empty list.
 * @example          concat([new Variable(device.ones([1, 2])), device.zeros([3, 2])])
 */
export function concat(
  variables: readonly (Variable | Tensor)[],
  { axis = 0 }: { readonly axis?: number } = {},
): Variable {
  const [first] = variables;
  if (first === undefined) throw codedError("BAD_ARGUMENT", "concat: expected at least one operand, found none");
  const along = normalizeAxis("concat", axis, shapeOfOperand("concat", first).length);
  return new ConcatFunction(along).apply(...variables)[0] as Variable;
}

/**
 * Variables of one shape joined along a new axis.
 *
 * @param options  `axis` of the result, 0 unless given, negative from the end.
 * @returns        A Variable with one axis more.
 * @throws         SHAPE_MISMATCH, DTYPE_MISMATCH, BAD_ARGUMENT for an empty list.
 * @example        stack([new Variable(device.ones([2])), device.zeros([2])], { axis: 1 })
 */
export function stack(
  variables: readonly (Variable | Tensor)[],
  { axis = 0 }: { readonly axis?: number } = {},
): Variable {
  const [first] = variables;
  if (first === undefined) throw codedError("BAD_ARGUMENT", "stack: expected at least one operand, found none");
  const { length } = shapeOfOperand("stack", first);
  const along = normalizeAxis("stack", axis, length + 1);
  return concat(
    variables.map((variable) => {
      const shape = shapeOfOperand("stack", variable);
      const deeper = [...shape.slice(0, along), 1, ...shape.slice(along)];
      return isVariable(variable) ? reshape(variable, deeper) : variable.reshape(deeper);
    }),
    { axis: along },
  );
}
