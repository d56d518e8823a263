interface RuleChoice {
  /** As `competitorOf` reads it. */
  readonly text: string;
  readonly label: string;
}

/** Rules that can be added with a choice. */
export const ruleChoices: readonly { readonly title: string; readonly rules: readonly RuleChoice[] }[] = [
  {
    title: "Of the study",
    rules: [
      { text: "vanilla", label: "vanilla: the mean" },
      { text: "published", label: "published: soft truncation on layer 1, 1/N scale" },
      { text: "step-matched-control", label: "step-matched control: the mean, layer 1 slowed" },
      { text: "soft-truncation-equal-scale", label: "soft truncation on layer 1, equal scale" },
      { text: "median-of-means-by-layer", label: "median of means, by layer" },
      { text: "median-of-means-jointly", label: "median of means, jointly" },
    ],
  },
  {
    title: "On all layers",
    rules: [
      { text: "norm-clip:maxNorm=2@all", label: "norm clip at 2, jointly" },
      { text: "soft-truncation@all", label: "soft truncation, all layers" },
      { text: "soft-truncation:center=median,spread=mad@all", label: "soft truncation, median and MAD" },
      { text: "m-estimator@all", label: "M-estimator (Huber)" },
      { text: "geometric-median@all", label: "geometric median of all rows" },
      { text: "median@all", label: "coordinate median" },
      { text: "trimmed-mean:fraction=0.05@all", label: "trimmed mean, 5 % each side" },
      { text: "mean-around-median:byzantine=5@all", label: "mean around median, 5 left out" },
      { text: "krum:byzantine=5@all", label: "Krum, 5 hostile" },
      { text: "multi-krum:byzantine=5@all", label: "Multi-Krum, 5 hostile" },
      { text: "monna:byzantine=5@all", label: "MoNNA, 5 hostile" },
      { text: "centered-clip@all", label: "centred clipping" },
      { text: "sign-majority@all", label: "sign majority" },
    ],
  },
];

/** The usual name of a rule; its text where it has none. */
export function ruleLabel(text: string): string {
  const choice = ruleChoices.flatMap(({ rules }) => rules).find((rule) => rule.text === text);
  return choice?.label ?? text.replace(/@all$/, "").replace("@", ", by ");
}
