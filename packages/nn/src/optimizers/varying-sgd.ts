import type { Optimizer } from "./optimizer.js";
import type { Rate } from "./rate.js";
import { withMoments } from "./with-moments.js";

/** `sgd` with a rate that varies. */
export function varyingSgd(stepSize: Rate, weightDecay: Rate): Optimizer {
  return withMoments("sgd", {
    rates: { stepSize },
    decay: weightDecay,
    moments: {},
    next: ({ w, g, stepSize: alpha }) => w.sub(g.mul(alpha)),
  });
}
