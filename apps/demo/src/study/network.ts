import type { HostArray } from "@robgrad/datasets";
import { constant, Linear, relu, Sequential, type Parameter } from "@robgrad/nn";
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
 *   W, b ~ U[−reach, reach), in the order W₁, b₁, W₂, b₂, W₃, b₃
 *
 * @param generator  The trial's generator for weights; it advances.
 * @param sizes      Units of the layers of nodes, inputs first; the study's unless given.
 * @param reach      0.05 unless given.
 * @see              Tutorial, §5: 2-10-10-3.
 * @example          const weights = initialWeights(trialGenerators(0, 0).weights);
 */
export function initialWeights(
  generator: Generator,
  sizes: readonly number[] = layerSizes,
  reach: number = initialRange,
): LayerWeights[] {
  const range = { low: -reach, high: reach };
  return sizes.slice(1).map((outputs, k) => ({
    W: generator.uniform([outputs, sizes[k]!], range),
    b: generator.uniform([outputs], range),
  }));
}

/**
 * A fully connected network with ReLU between its layers and none at its end. `setWeights` gives it values.
 *
 * @param device  Where it lives; dispose its `model` when done.
 * @param dtype   Of all parameters.
 * @param sizes   Units of the layers of nodes, inputs first; the study's unless given.
 * @example       const { model } = network(device, "float32");
 */
export function network(device: Device, dtype: "float32" | "float64", sizes: readonly number[] = layerSizes): Network {
  const rng = device.rng(0);
  const layers = sizes
    .slice(1)
    .map((outputs, k) => new Linear(sizes[k]!, outputs, { rng, weights: constant(0), dtype }));
  rng.dispose();
  const model = new Sequential(...layers.flatMap((layer, k) => (k === 0 ? [layer] : [relu, layer])));
  return { model, layers };
}

/**
 * Replaces all weights of a network.
 *
 * @example  setWeights(net, initialWeights(generator(0)));
 */
export function setWeights({ layers }: Network, weights: readonly LayerWeights[]): void {
  const assign = (parameter: Parameter, { values, shape }: HostArray) => {
    const { device, dtype } = parameter.cell;
    tidy(() => parameter.assign(device.tensor(values, { shape, dtype })));
  };
  for (const [k, { W, b }] of weights.entries()) {
    assign(layers[k]!.W, W);
    assign(layers[k]!.b!, b);
  }
}

/**
 * All weights of a network, on the host.
 *
 * @throws   Rejects as the read of a tensor does.
 * @example  const [first] = await getWeights(net);
 */
export async function getWeights({ layers }: Network): Promise<LayerWeights[]> {
  const read = async ({ cell }: Parameter): Promise<HostArray> => ({
    values: Float64Array.from(await cell.value.data()),
    shape: [...cell.shape],
  });
  return Promise.all(
    layers.map(async (layer) => {
      const [W, b] = await Promise.all([read(layer.W), read(layer.b!)]);
      return { W, b };
    }),
  );
}
