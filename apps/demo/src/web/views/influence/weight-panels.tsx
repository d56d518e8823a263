import { Legend } from "../../controls/legend.jsx";
import { useDragSurface } from "../../controls/drag-surface.js";
import { Swatch } from "../../controls/swatch.jsx";
import { WeightLegend } from "../../controls/weight-legend.jsx";
import { Figure } from "../../plots/figure.jsx";
import { placeInPlane, plane } from "../../plots/plane.js";
import { weightStyle } from "../../plots/weight-scale.js";
import { chosenRow, look } from "../../state/inspection.js";
import { opening } from "../../state/live.js";
import { page } from "../../state/store.js";
import type { Scene } from "../../worker/live-run.js";
import { choose, inWords, shown, type ShownRule } from "./shown-rows.js";

/** The rows once a rule, in the size and colour of their weights. */
export function WeightPanels() {
  const scene = opening.value?.scene;
  if (scene === undefined || look.value === null) return <p role="status">Looking into the step …</p>;
  const { iteration } = look.value.step;
  return (
    <section aria-label="How much rows count">
      <h2>How much each row counts, after {iteration} steps</h2>
      <div class="panels">
        {shown.value.map((rule) => (
          <Panel key={rule.rule} rule={rule} scene={scene} iteration={iteration} />
        ))}
      </div>
      <WeightLegend shown={page.value.show} />
      <Legend />
    </section>
  );
}

interface PanelProps {
  readonly rule: ShownRule;
  readonly scene: Scene;
  readonly iteration: number;
}

function Panel({ rule: { rule, label, style, kind, values, remark }, scene, iteration }: PanelProps) {
  const chosen = chosenRow.value;
  // Influence on a mean of N rows is about 1/N.
  const scale = kind === "weight" ? 1 : scene.train.length;
  const surface = useDragSurface({
    places: scene.train.map((row) => placeInPlane(scene, row)),
    chosen,
    choose,
  });
  const displaced = scene.train.flatMap((row, number) => (row.displaced && values ? [values[number]!] : []));
  const words = displaced.map((value) => inWords(kind, value)).join(", ");
  return (
    <Figure
      name={`${kind}-${rule.replace(/\W+/g, "-")}-step-${iteration}`}
      title={
        <>
          <Swatch style={style} /> {label}
        </>
      }
      description={`Training rows in the plane, in the size and colour of their ${kind} with ${label} after ${iteration} steps${words === "" ? "" : `; displaced rows: ${words}`}.`}
      surface={surface}
      draw={(width) =>
        plane(scene, {
          width,
          regions: null,
          chosen,
          ...(values !== null && { style: (row) => weightStyle(scale * values[row]!) }),
        })
      }
    >
      <p class="score">
        {values !== null && (
          <>
            row {chosen}: {kind} <strong>{inWords(kind, values[chosen]!)}</strong>
          </>
        )}
        {remark !== null && <span class="hint"> {remark}</span>}
      </p>
    </Figure>
  );
}
