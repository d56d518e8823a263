import { defaultDevice, init } from "@jax-js/jax";
import type { Work } from "../../work.js";
import { Unable, type Job, type Peer } from "../peer.js";
import { versionOf } from "../version.js";
import { jaxChain } from "./chain.js";
import { jaxConvolution } from "./convolution.js";
import { jaxProduct } from "./product.js";
import { jaxSequence } from "./sequence.js";
import { jaxTraining } from "./training.js";

/** How per-sample gradients are formed: as users would write it, or from back-propagation written out. */
export type SampleForm = "vmap" | "factors";

/** jax-js, jitted, on its WebAssembly backend. */
export async function openJax(form: SampleForm): Promise<Peer> {
  await init("wasm");
  defaultDevice("wasm");
  const prepare = (work: Work): Job => {
    if (form === "vmap" && (!("rule" in work) || work.rule.kind === "mean")) {
      throw new Unable("has no per-sample gradients: as jax-js");
    }
    switch (work.kind) {
      case "product":
        return jaxProduct(work);
      case "training":
        return jaxTraining(work, form);
      case "convolution":
        return jaxConvolution(work, form);
      case "chain":
        return jaxChain(work);
      case "sequence":
        return jaxSequence(work);
    }
  };
  return { versions: { "@jax-js/jax": versionOf("@jax-js/jax") }, prepare };
}
