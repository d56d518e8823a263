import { useDragSurface, withHandle } from "../../controls/drag-surface.js";
import { Slider } from "../../controls/field.jsx";
import { Figure } from "../../plots/figure.jsx";
import { overview } from "../../plots/overview.js";
import { classNames, placeInPlane, plane } from "../../plots/plane.js";
import { chosenRow, inspected, placed } from "../../state/inspection.js";
import { frame, opening } from "../../state/live.js";
import { change, page } from "../../state/store.js";
import type { Scene } from "../../worker/live-run.js";
import { Answers } from "./answers.jsx";
import { choose, shownScene } from "./shown-rows.js";

/** Farthest that a coordinate goes. */
const farthest = 1e6;

const rounded = (value: number) => Number(Math.min(farthest, Math.max(-farthest, value)).toPrecision(5));

/** The chosen row: drag it away, and see how the rules answer. */
export function RowMover() {
  const scene = shownScene.value;
  if (scene === null) return null;
  return <Mover scene={scene} />;
}

function Mover({ scene }: { readonly scene: Scene }) {
  const chosen = chosenRow.value;
  const { x, y, from, label } = scene.train[chosen]!;
  const [middleX, middleY] = scene.mean;
  const distance = Math.hypot(x - middleX, y - middleY) / scene.deviation;
  const move = (left: number, up: number) => {
    placed.value = { row: chosenRow.peek(), x: rounded(left), y: rounded(up) };
  };
  const away = (sigmas: number) => {
    const length = Math.hypot(x - middleX, y - middleY);
    // A row at the mean goes to the right.
    const [alongX, alongY] = length === 0 ? [1, 0] : [(x - middleX) / length, (y - middleY) / length];
    move(middleX + sigmas * scene.deviation * alongX, middleY + sigmas * scene.deviation * alongY);
  };
  const home = () => move(...from);
  const places = scene.train.map((row) => placeInPlane(scene, row));
  const near = useDragSurface({ places, chosen, choose, move, putBack: home });
  const far = useDragSurface({
    places: scene.train.map((row) => [row.x, row.y] as const),
    chosen,
    choose,
    move,
    putBack: home,
    keys: `Row ${chosen} on axes that reach far. Arrow keys move it, with Shift farther; Home puts it where its flower is.`,
  });
  const regions = frame.value?.competitors.find(({ name }) => name === inspected.value)?.regions ?? null;
  const position = [x, y].map((value) => String(rounded(value)).replace("-", "−")).join(", ");
  return (
    <section aria-label="The chosen row">
      <h2>
        Row {chosen}, {classNames[label]}
      </h2>
      <p role="status">
        It is at ({position}), {distance.toLocaleString("en", { maximumSignificantDigits: 3 })} σ from the mean
        {placed.value === null
          ? "."
          : ". The network has not been trained with it there: only this step's answers are new."}
      </p>
      <div class="mover">
        <Figure
          name={`row-${chosen}-near`}
          title="Near"
          description={`Row ${chosen} among the training rows, over the regions of the network.`}
          surface={near}
          draw={(width) =>
            withHandle(plane(scene, { width, regions, chosen }), placeInPlane(scene, scene.train[chosen]!))
          }
        />
        <Figure
          name={`row-${chosen}-far`}
          title="Far: both axes logarithmic"
          description={`Row ${chosen} among all training rows on logarithmic axes.`}
          surface={far}
          draw={(width) => withHandle(overview(scene, width, { reach: 1e3, chosen }), [x, y])}
        />
        <Answers />
      </div>
      <div class="row">
        <Slider
          label="Its distance from the mean"
          wide
          value={Math.log10(Math.max(0.01, distance))}
          min={-1}
          max={6}
          step={0.05}
          shown={`${distance.toLocaleString("en", { maximumSignificantDigits: 3 })} σ`}
          onChange={(power) => away(10 ** power)}
        />
        <Actions />
      </div>
    </section>
  );
}

function Actions() {
  const at = placed.value;
  const { moved } = page.value;
  const others = moved.filter(({ row }) => row !== chosenRow.value);
  const isMoved = others.length < moved.length;
  const train = (rows: typeof moved) => {
    placed.value = null;
    change({ moved: rows, row: chosenRow.peek() });
  };
  const back = opening.value!.scene.train[chosenRow.value]!;
  return (
    <div class="buttons actions">
      <button type="button" class="main" disabled={at === null} onClick={() => train([...others, at!])}>
        Train with it there
      </button>
      <button type="button" disabled={at === null} onClick={() => (placed.value = null)}>
        Undo the drag
      </button>
      <button
        type="button"
        disabled={!isMoved && !back.displaced}
        onClick={() =>
          train(isMoved ? others : [...others, { row: chosenRow.peek(), x: back.from[0], y: back.from[1] }])
        }
      >
        Train with it where its flower is
      </button>
    </div>
  );
}
