import type { HostArray } from "@robgrad/datasets";
import { Linear, relu, Sequential } from "@robgrad/nn";
import { tidy, type Device, type Generator } from "@robgrad/tensor";
import { initialRange, layerSizes } from "./protocol.js";

/** W [Q, P] and b [Q] of one layer, on the host. */
export interface LayerWeights {
  readonly W: HostArray;
  readonly b: HostArray;
}

/** The network of the study on a device. */
export interface Network {
  readonly model: Sequential;
  /** Its layers of weights, from the inputs up. */
  readonly layers: readonly Linear[];
}

/**
 * Initial weights of all layers, drawn on the host in float64 so that every device and dtype starts from the same ones.
 *
 *   W, b ~ U[−0.05, 0.05), in the order W₁, b₁, W₂, b₂, W₃, b₃
 *
 * @param generator  The trial's generator for weights; it advances.
 * @see              Tutorial, §5: 2-10-10-3.
 * @example          const weights = initialWeights(trialGenerators(0, 0).weights);
 */
export function initialWeights(generator: Generator): LayerWeights[] {
  const range = { low: -initialRange, high: initialRange };
  return layerSizes.slice(1).map((outputs, k) => ({
    W: generator.uniform([outputs, layerSizes[k]!], range),
    b: generator.uniform([outputs], range),
  }));
}

/**
 * A fully connected network with ReLU between its layers and none at its end.
 *
 * @param device   Where it lives; dispose its `model` when done.
 * @param weights  Initial weights of every layer.
 * @param dtype    Of all parameters.
 * @example        const { model } = network(device, initialWeights(generator(0)), "float32");
 */
export function network(device: Device, weights: readonly LayerWeights[], dtype: "float32" | "float64"): Network {
  const rng = device.rng(0);
  const upload = ({ values, shape }: HostArray) => device.tensor(values, { shape, dtype });
  const layers: Linear[] = [];
  // Parameters copy what they start from.
  tidy(() => {
    for (const { W, b } of weights) {
      const [outputs = 0, inputs = 0] = W.shape;
      layers.push(new Linear(inputs, outputs, { rng, weights: () => upload(W), bias: () => upload(b), dtype }));
    }
  });
  rng.dispose();
  const model = new Sequential(...layers.flatMap((layer, k) => (k === 0 ? [layer] : [relu, layer])));
  return { model, layers };
}
