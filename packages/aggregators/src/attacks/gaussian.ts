import type { DeviceRandom } from "@robgrad/tensor";
import { checkOption } from "../option.js";
import { attack, type Attack } from "./attack.js";

/**
 * Noise that knows nothing of the honest gradients, one draw for all hostile samples.
 *
 *   b ~ N(μ, σ² I)
 *
 * @param rng    Generator on the device of the gradients, `device.rng(seed)`.
 * @param mu     μ, in the units of the gradient.
 * @param sigma  σ ≥ 0, in the units of the gradient.
 * @returns      Attack, [H, D] → [count, D].
 * @throws       BAD_ARGUMENT when an option is out of range.
 * @see          ByzFL, Gaussian.
 * @example      gaussian({ rng: device.rng(1), sigma: 10 })(honest, 2).shape
 */
export function gaussian({
  rng,
  mu = 0,
  sigma = 1,
}: {
  readonly rng: DeviceRandom;
  readonly mu?: number;
  readonly sigma?: number;
}): Attack {
  checkOption("gaussian", "rng", rng, typeof rng?.normal === "function", "to be device.rng(seed)");
  checkOption("gaussian", "mu", mu, Number.isFinite(mu), "to be finite");
  checkOption("gaussian", "sigma", sigma, sigma >= 0 && sigma < Infinity, "≥ 0 and finite");
  return attack("Gaussian", (honest) => {
    const dtype = honest.dtype === "float64" ? "float64" : "float32";
    return rng.normal([honest.shape[1] as number], { mean: mu, standardDeviation: sigma, dtype });
  });
}
