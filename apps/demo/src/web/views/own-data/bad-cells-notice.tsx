import { leavesOut } from "../../state/own-data.js";
import type { BadCells } from "../../worker/own-data/own-samples.js";

/** Cells that cannot be learnt from, each by row and column, and whether to go on without their rows. */
export function BadCellsNotice({ bad: { rows, cells, first } }: { readonly bad: BadCells }) {
  return (
    <section class="notice error bad-cells" aria-label="Bad cells">
      <div>
        <p>
          {cells === 1 ? "One cell" : `${cells.toLocaleString("en")} cells`} in{" "}
          {rows === 1 ? "one row" : `${rows.toLocaleString("en")} rows`} cannot be learnt from. Rows are counted as in
          the file, from 1.
        </p>
        <ul tabIndex={0}>
          {first.map(({ row, column, expected, found }, k) => (
            <li key={k}>
              row {row}, {column}: expected {expected}, found{" "}
              {found === "" ? "nothing" : `“${found.length > 40 ? `${found.slice(0, 40)}…` : found}”`}
            </li>
          ))}
          {cells > first.length && <li>and {(cells - first.length).toLocaleString("en")} more</li>}
        </ul>
        <label>
          <input
            type="checkbox"
            checked={leavesOut.value}
            onChange={(event) => (leavesOut.value = event.currentTarget.checked)}
          />{" "}
          Leave {rows === 1 ? "this row" : `these ${rows.toLocaleString("en")} rows`} out
        </label>
        <p class="hint">Or leave out their columns, above, or mend the file and drop it once more.</p>
      </div>
    </section>
  );
}
