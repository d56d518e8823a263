import { generator, type Device, type Tensor } from "@robgrad/tensor";

/** float64 normal numbers, the same for the same seed. */
export function draw(device: Device, shape: readonly number[], seed: number): Tensor {
  return device.tensor(generator(seed).normal(shape).values, { shape });
}
