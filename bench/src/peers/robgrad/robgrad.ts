import { openDevice, type DeviceOptions } from "@robgrad/tensor";
import type { Work } from "../../work.js";
import type { Job, Peer } from "../peer.js";
import { versionOf } from "../version.js";
import { robgradChain } from "./chain.js";
import { robgradConvolution } from "./convolution.js";
import { robgradProduct } from "./product.js";
import { robgradSequence } from "./sequence.js";
import { robgradTraining } from "./training.js";

export interface RobgradOptions extends DeviceOptions {
  /** float32 unless given. */
  readonly dtype?: "float32" | "float64";
  readonly relaxed?: boolean;
  readonly threads?: number;
}

/** robgrad through its public interface, every work a captured step. */
export async function openRobgrad(
  name: "cpu" | "wasm",
  { dtype = "float32", ...options }: RobgradOptions = {},
): Promise<Peer> {
  const device = await openDevice(name, options);
  const prepare = (work: Work): Job => {
    switch (work.kind) {
      case "product":
        return robgradProduct(device, dtype, work);
      case "training":
        return robgradTraining(device, dtype, work);
      case "convolution":
        return robgradConvolution(device, dtype, work);
      case "chain":
        return robgradChain(device, dtype, work);
      case "sequence":
        return robgradSequence(device, dtype, work);
    }
  };
  return { versions: { "@robgrad/tensor": versionOf("@robgrad/tensor") }, prepare, dispose: () => device.dispose() };
}
