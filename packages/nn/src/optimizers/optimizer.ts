import { codedError, type Cell, type Tensor } from "@robgrad/tensor";
import { checkElements, formatShape, sameShape, type FaultTest } from "@robgrad/tensor/kernels";
import { Parameter } from "../parameter.js";

/** A link, or whatever names parameters. */
export interface HasParameters {
  namedParameters(): Iterable<readonly [string, Parameter]>;
}

/** Turns gradients into a step. */
export interface Optimizer {
  /**
   * One step. All gradients are tested first; if one is not finite, no parameter moves and the next read rejects with
   * BAD_DATA naming it.
   *
   * @param gradients  A tensor of its shape for every parameter to move.
   */
  update(gradients: ReadonlyMap<Parameter, Tensor>): void;
  /**
   * The cells of its state, to be saved and loaded: `step` counts updates, `0.W.velocity` is what it keeps of the parameter
   * at `0.W`. Cells of parameters that it has not moved yet are made. They live until `dispose`.
   *
   * @param model  Whose parameters it moves.
   * @example      optimizer.state(model).get("0.W.velocity")
   */
  state(model: HasParameters): ReadonlyMap<string, Cell>;
  /** Returns the memory of its state; the next update starts anew. */
  dispose(): void;
}

/** Checks gradients against their parameters, on the host what the host knows and on the device what only it does. */
export function checkGradients(
  subject: string,
  gradients: ReadonlyMap<Parameter, Tensor>,
  test: (gradient: Tensor) => FaultTest = () => "nonFinite",
  of = "the gradient of",
): void {
  if (!(gradients instanceof Map)) {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected a map from parameters to gradients, as aggregate makes, found ${typeof gradients}`,
    );
  }
  for (const [parameter, gradient] of gradients as ReadonlyMap<Parameter, Tensor>) {
    if (!(parameter instanceof Parameter)) {
      throw codedError(
        "BAD_ARGUMENT",
        `${subject}: expected gradients by Parameter, found a key of type ${typeof parameter}`,
      );
    }
    const { shape, dtype, device } = parameter.cell;
    const name = parameter.name ?? "a parameter";
    if (!sameShape(gradient.shape, shape)) {
      throw codedError(
        "SHAPE_MISMATCH",
        `${subject}: expected a gradient of shape ${formatShape(shape)} for ${name}, found ${formatShape(gradient.shape)}`,
      );
    }
    if (gradient.dtype !== dtype)
      throw codedError(
        "DTYPE_MISMATCH",
        `${subject}: expected a ${dtype} gradient for ${name}, found ${gradient.dtype}`,
      );
    if (gradient.device !== device)
      throw codedError("DEVICE_MISMATCH", `${subject}: expected the gradient of ${name} on its device`);
  }
  for (const [parameter, gradient] of gradients) {
    checkElements(gradient, test(gradient), {
      kind: "non-finite value",
      node: subject,
      parameter: `${of} ${parameter.name ?? "a parameter"}`,
    });
  }
}
