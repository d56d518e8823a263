import { computed } from "@preact/signals";
import type { SeriesStyle } from "../../../study/figures/palette.js";
import { competitorStyles } from "../../plots/competitor-style.js";
import { chosenRow, influenceOf, look, placed, shownRules } from "../../state/inspection.js";
import { opening } from "../../state/live.js";
import { change, page } from "../../state/store.js";
import type { Scene } from "../../worker/live-run.js";

/** What one rule shows of every row. */
export interface ShownRule {
  readonly rule: string;
  readonly label: string;
  readonly style: SeriesStyle;
  readonly kind: "weight" | "influence";
  /** One number a row; null while there are none. */
  readonly values: ArrayLike<number> | null;
  /** In words, what is special about it. */
  readonly remark: string | null;
}

const wait = "Influence is computed while training pauses.";

/** Rules with what points and list show of them. */
export const shown = computed<readonly ShownRule[]>(() => {
  const { show } = page.value;
  const styles = competitorStyles(shownRules.value);
  return (look.value?.value.rules ?? [])
    .filter(({ rule }) => styles.has(rule))
    .map(({ rule, label, weights, failure }) => {
      const own = { rule, label, style: styles.get(rule)! };
      if (failure !== null) return { ...own, kind: show, values: null, remark: failure };
      if (show === "weight" && weights !== null) return { ...own, kind: "weight", values: weights, remark: null };
      const influence = influenceOf(rule);
      const remark = show === "weight" ? "This rule has no weights: its points show influence." : null;
      return {
        ...own,
        kind: "influence",
        values: influence?.influence ?? null,
        remark:
          influence === undefined
            ? [remark, wait].filter((text) => text !== null).join(" ")
            : influence === null
              ? "This rule does not answer with a row less."
              : remark,
      };
    });
});

/** The rows with the chosen one where it has been dragged to. */
export const shownScene = computed<Scene | null>(() => {
  const scene = opening.value?.scene;
  const at = placed.value;
  if (scene === undefined) return null;
  if (at === null) return scene;
  const train = scene.train.map((row, k) => (k === at.row ? { ...row, x: at.x, y: at.y, displaced: true } : row));
  return { ...scene, train };
});

/** Looks at another row; what was dragged goes back. */
export function choose(row: number): void {
  if (row !== chosenRow.peek()) placed.value = null;
  change({ row });
}

/** A weight as 1.00, an influence as a share in percent. */
export function inWords(kind: ShownRule["kind"], value: number): string {
  if (Number.isNaN(value)) return "–";
  if (value === Infinity) return "∞";
  if (kind === "weight") return value > 0 && value < 0.01 ? value.toExponential(0) : value.toFixed(2);
  return `${(100 * value).toLocaleString("en", { maximumSignificantDigits: 2 })} %`;
}
