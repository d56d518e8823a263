import { weightStyle } from "../plots/weight-scale.js";

const marks = [0, 0.25, 1, 4, 100] as const;

const words = {
  weight: ["0: does not count", "¼", "1: as in the mean", "4", "100: decides alone"],
  influence: ["0 %", "0.25 %", "1 %", "4 %", "100 % of the answer’s length"],
} as const;

const meanings = {
  weight:
    "Weight: 100 times the share of a row in a weighted sum. Where a rule truncates single numbers of a gradient, what it keeps of them, ψ(z)/z, averaged over all parameters; layers that take the mean count as 1.",
  influence:
    "Influence: how far the answer moves when the row is left out, as a share of the answer’s length. Of 100 rows that agree, each has about 1 % on a mean. Without a row, a median of means has other blocks, so that any row may move it.",
} as const;

/** What size and colour of points say. */
export function WeightLegend({ shown }: { readonly shown: "weight" | "influence" }) {
  return (
    <>
      <ul class="legend" aria-label={`Size and colour: ${shown}`}>
        {marks.map((weight, k) => {
          const { radius, fill } = weightStyle(weight);
          return (
            <li key={weight}>
              <svg width="18" height="18" aria-hidden="true">
                <circle cx="9" cy="9" r={radius} fill={fill} stroke="currentColor" stroke-width="0.6" />
              </svg>
              {words[shown][k]}
            </li>
          );
        })}
      </ul>
      <p class="hint">{meanings[shown]}</p>
    </>
  );
}
