import { unfitAsLabel } from "../../state/own-choice.js";
import { bad, choice, leavesOut, rank, stop, table, work } from "../../state/own-data.js";

/** Begins the ranking, and shows how far it, or the reading, has come. */
export function RankButton() {
  const { label, features } = choice.value;
  const columns = table.value?.columns;
  const missing =
    columns === undefined
      ? null
      : label === null || unfitAsLabel(columns[label]!) !== null
        ? "Choose a label first."
        : features.length === 0
          ? "Choose a column to learn from first."
          : bad.value !== null && bad.value.rows > 0 && !leavesOut.value
            ? "Say first whether to leave out the rows with bad cells."
            : null;
  const now = work.value;
  return (
    <div class="joining" role="status">
      {now !== null ? (
        <>
          <label>
            {now.what} … <progress value={now.share} max={1} />
          </label>
          <button type="button" onClick={stop}>
            Cancel
          </button>
        </>
      ) : (
        columns !== undefined && (
          <>
            <button type="button" class="main" disabled={missing !== null} onClick={() => void rank()}>
              Find distrusted rows
            </button>
            <p class="hint">{missing}</p>
          </>
        )
      )}
    </div>
  );
}
