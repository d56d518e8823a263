import { useEffect } from "preact/hooks";
import { Choice } from "../controls/field.jsx";
import { Player } from "../controls/player.jsx";
import { inspect, inspected, refusal } from "../state/inspection.js";
import { opening } from "../state/live.js";
import { change, page } from "../state/store.js";
import { Setup } from "./watch.jsx";
import { RankedList } from "./influence/ranked-list.jsx";
import { RowMover } from "./influence/row-mover.jsx";
import { WeightPanels } from "./influence/weight-panels.jsx";

/** Who decides a step: weights and influence of all rows, and a row that can be dragged away. */
export function Influence() {
  useEffect(inspect, []);
  return (
    <>
      <p class="lead">
        One step of training, looked into. Each of the 100 training rows has a gradient; a rule makes one step of them.
        Here every rule gets the same 100 gradients, and you see how much each row counts. Choose a row, drag it away,
        and watch which rules follow it.
      </p>
      <Player />
      <Settings />
      {refusal.value !== null && (
        <p class="refused" role="status">
          This step cannot be looked into. {refusal.value}
        </p>
      )}
      {page.value.step === 0 && (
        <p class="hint">
          Before the first step all weights of the network are near 0, and few rows stand out. Play on, or{" "}
          <button type="button" onClick={() => change({ step: Math.min(300, page.value.iterations) })}>
            look at step 300
          </button>
        </p>
      )}
      <WeightPanels />
      <RowMover />
      <RankedList />
      <Setup />
    </>
  );
}

function Settings() {
  const competitors = opening.value?.competitors ?? [];
  return (
    <div class="row">
      <Choice
        label="Gradients of the network trained by"
        value={inspected.value ?? ""}
        options={competitors.map(({ name, label }) => ({ value: name, label }))}
        onChange={(network) => change({ network })}
      />
      <Choice
        label="Points and list show"
        value={page.value.show}
        options={[
          { value: "weight", label: "weight: how much of a row counts" },
          { value: "influence", label: "influence: the answer without the row" },
        ]}
        onChange={(show) => change({ show })}
      />
    </div>
  );
}
