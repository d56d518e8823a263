import type { SeriesStyle } from "../../study/figures/palette.js";

/** The line that stands for a rule. */
export function Swatch({ style }: { readonly style: SeriesStyle }) {
  return (
    <svg class="swatch" width="26" height="8" aria-hidden="true">
      <line x1="0" x2="26" y1="4" y2="4" stroke={style.color} stroke-width="3" stroke-dasharray={style.dashes} />
    </svg>
  );
}
