import { codedError, type Tensor } from "@robgrad/tensor";
import { checkElements } from "@robgrad/tensor/kernels";
import { Parameter } from "../parameter.js";

/** Turns gradients into a step. */
export interface Optimizer {
  /**
   * One step. All gradients are tested first; if one is not finite, no parameter moves and the next read rejects with
   * BAD_DATA naming it.
   *
   * @param gradients  A tensor of its shape for every parameter to move.
   */
  update(gradients: ReadonlyMap<Parameter, Tensor>): void;
  /** Returns the memory of its state. */
  dispose(): void;
}

/** Checks gradients against their parameters, on the host what the host knows and on the device what only it does. */
export function checkGradients(subject: string, gradients: ReadonlyMap<Parameter, Tensor>): void {
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
    if (gradient.shape.length !== shape.length || gradient.shape.some((extent, axis) => extent !== shape[axis])) {
      throw codedError(
        "SHAPE_MISMATCH",
        `${subject}: expected a gradient of shape [${shape.join(", ")}] for ${name}, found [${gradient.shape.join(", ")}]`,
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
    checkElements(gradient, "nonFinite", {
      kind: "non-finite value",
      node: subject,
      parameter: `the gradient of ${parameter.name ?? "a parameter"}`,
    });
  }
}

export function checkStepSize(subject: string, stepSize: number): void {
  if (!(Number.isFinite(stepSize) && stepSize >= 0)) {
    throw codedError("BAD_ARGUMENT", `${subject}: expected a finite stepSize ≥ 0, found ${stepSize}`);
  }
}
