import { noiseImages } from "../inputs.js";
import type { ConvolutionWork, Rule } from "../work.js";

const [samples, side, kernel, classes] = [64, 28, 5, 10];
const channels = [1, 8, 16] as const;

const rules: Readonly<Record<string, readonly [title: string, rule: Rule]>> = {
  "": ["step", { kind: "mean" }],
  "-soft": ["soft truncation", { kind: "soft", delta: 0.005 }],
};

/** Two convolutions of 5 × 5 and a dense layer for images of 28 × 28, the rule on all layers. */
export const cnn: readonly ConvolutionWork[] = Object.entries(rules).map(([suffix, [name, rule]]) => ({
  kind: "convolution",
  id: `cnn${suffix}`,
  title: `28×28, 5×5×8, pool, 5×5×16, pool, 10, N ${samples}: ${name}`,
  calls: 5,
  samples,
  side,
  channels,
  kernel,
  classes,
  stepSize: 0.1,
  rule,
  data: () => noiseImages(samples, side, channels, kernel, classes),
}));
