import { generator, type Device, type Tensor } from "@robgrad/tensor";

/** Normal numbers, the same for the same seed. */
export function draw(
  device: Device,
  shape: readonly number[],
  seed: number,
  dtype: "float32" | "float64" = "float64",
): Tensor {
  return device.tensor(generator(seed).normal(shape).values, { shape, dtype });
}
