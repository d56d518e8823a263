import {
  aLittleIsEnough,
  gaussian,
  inf,
  innerProductManipulation,
  labelFlipping,
  mimic,
  optimalALittleIsEnough,
  optimalInnerProductManipulation,
  signFlipping,
} from "@robgrad/aggregators/attacks";
import type { RowContamination } from "./contamination.js";
import { flippedTargets } from "./flipped-targets.js";

/** The nine attacks on rows of gradients, by name. ḡ is the mean of the honest rows, s their standard deviation. */
export const rowContaminations = {
  "sign-flipping": {
    title: "sign flipping",
    meaning: "Hostile rows are −ḡ.",
    strengths: [],
    attack: () => signFlipping(),
  },
  ipm: {
    title: "inner product manipulation",
    meaning: "Hostile rows are −τ ḡ; τ is the strength.",
    strengths: [2],
    attack: ({ strength }) => innerProductManipulation({ tau: strength }),
  },
  "opt-ipm": {
    title: "optimal inner product manipulation",
    meaning: "Hostile rows are −τ ḡ, τ searched in every step for the answer of the rule that is farthest from ḡ.",
    strengths: [],
    attack: ({ rule }) => optimalInnerProductManipulation({ rule }),
    asks: true,
  },
  alie: {
    title: "a little is enough",
    meaning: "Hostile rows are ḡ + τ s; τ is the strength.",
    strengths: [1.5],
    attack: ({ strength }) => aLittleIsEnough({ tau: strength }),
  },
  "opt-alie": {
    title: "optimal a little is enough",
    meaning: "Hostile rows are ḡ + τ s, τ searched in every step for the answer of the rule that is farthest from ḡ.",
    strengths: [],
    attack: ({ rule }) => optimalALittleIsEnough({ rule }),
    asks: true,
  },
  mimic: {
    title: "mimic",
    meaning: "Hostile rows are the first honest row of the batch.",
    strengths: [],
    attack: () => mimic(),
  },
  inf: {
    title: "infinities",
    meaning:
      "Hostile rows are infinite, and the trainer drops what is not finite: the mean of the other rows stands there.",
    strengths: [],
    attack: () => inf(),
    nonFinite: "drop",
  },
  gaussian: {
    title: "normal rows",
    meaning: "Hostile rows are one draw in every step, normal about 0; strength is the standard deviation.",
    strengths: [1],
    attack: ({ rng, strength }) => gaussian({ rng, sigma: strength }),
    random: true,
  },
  "label-flipping": {
    title: "mean of flipped labels",
    meaning:
      "Hostile rows are the mean gradient of the hostile samples with the next class for label; in regression with the target mirrored at its mean.",
    strengths: [],
    attack: ({ own }) => labelFlipping({ flipped: own }),
    prepare: ({ x, target }, rows, classes) => ({ x, target: flippedTargets(target, rows, { classes, factor: 1 }) }),
  },
} as const satisfies Readonly<Record<string, RowContamination>>;
