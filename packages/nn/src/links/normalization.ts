import type { Variable } from "@robgrad/autograd";
import { codedError, type Device, type DType } from "@robgrad/tensor";
import { Parameter } from "../parameter.js";

/** How a normalizing layer starts. */
export interface NormalizationOptions {
  readonly device: Device;
  /** ε > 0, added to the variance; 1e-5 unless given. */
  readonly epsilon?: number;
  /** float32 unless given. */
  readonly dtype?: DType;
}

/** A parameter that starts with one value everywhere. */
export function filled(device: Device, name: string, shape: readonly number[], value: number, dtype: DType): Parameter {
  const initial = device.full(shape, value, { dtype });
  const made = new Parameter(initial, name);
  initial.dispose();
  return made;
}

export function checkEpsilon(subject: string, epsilon: number): void {
  if (!(Number.isFinite(epsilon) && epsilon > 0))
    throw codedError("BAD_ARGUMENT", `${subject}: expected a finite epsilon > 0, found ${epsilon}`);
}

/** Refuses what is not [N, C, …] with the features of a layer. */
export function checkChannels(subject: string, x: Variable, channels: number): void {
  if (x.shape.length < 2 || x.shape[1] !== channels) {
    throw codedError("SHAPE_MISMATCH", `${subject}: expected x [N, ${channels}, …], found [${x.shape.join(", ")}]`);
  }
}

/** γ x + β along axis 1. The parameters meet x as they are, on its last axis, so that their rows can be told apart. */
export function scaleChannels(x: Variable, gain: Parameter, shift: Parameter): Variable {
  if (x.shape.length === 2) return x.mul(gain).add(shift);
  const rest = x.shape.map((_, axis) => axis).slice(2);
  const last = x
    .permute([0, ...rest, 1])
    .mul(gain)
    .add(shift);
  return last.permute([0, x.shape.length - 1, ...rest.map((axis) => axis - 1)]);
}
