import { version_wasm } from "@tensorflow/tfjs-backend-wasm";
// The entry for Node leaves gradients out; the build bundles this file, which Node cannot load.
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import * as tf from "@tensorflow/tfjs-core";
import type { Work } from "../../work.js";
import type { Job, Peer } from "../peer.js";
import { tfjsChain } from "./chain.js";
import { tfjsConvolution } from "./convolution.js";
import { tfjsProduct } from "./product.js";
import { tfjsSequence } from "./sequence.js";
import { tfjsTraining } from "./training.js";

/** TensorFlow.js on its WebAssembly backend, which has no threads in Node. */
export async function openTfjs(): Promise<Peer> {
  await tf.setBackend("wasm");
  await tf.ready();
  const prepare = (work: Work): Job => {
    switch (work.kind) {
      case "product":
        return tfjsProduct(work);
      case "training":
        return tfjsTraining(work);
      case "convolution":
        return tfjsConvolution(work);
      case "chain":
        return tfjsChain(work);
      case "sequence":
        return tfjsSequence(work);
    }
  };
  return {
    versions: { "@tensorflow/tfjs-core": tf.version_core, "@tensorflow/tfjs-backend-wasm": version_wasm },
    prepare,
  };
}
