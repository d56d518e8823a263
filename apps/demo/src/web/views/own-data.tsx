import { useEffect } from "preact/hooks";
import { bad, dataTrouble, ranking, stop, table } from "../state/own-data.js";
import { BadCellsNotice } from "./own-data/bad-cells-notice.jsx";
import { ColumnChooser } from "./own-data/column-chooser.jsx";
import { FilePicker } from "./own-data/file-picker.jsx";
import { RankButton } from "./own-data/rank-button.jsx";
import { RankingView } from "./own-data/ranking-view.jsx";

/** A person's table: which rows robust rules distrust. */
export function OwnData() {
  useEffect(() => stop, []);
  return (
    <>
      <p class="lead">
        Give a table with a label in every row. Models are trained on it with robust rules, which no few rows can steer;
        then every row is asked how unlikely they find its label. What comes first is worth a look. The file does not
        leave this browser: nothing is sent anywhere.
      </p>
      <FilePicker />
      <p class="refused" role="alert">
        {dataTrouble.value}
      </p>
      {table.value !== null && <ColumnChooser table={table.value} />}
      {bad.value !== null && bad.value.rows > 0 && <BadCellsNotice bad={bad.value} />}
      <RankButton />
      {ranking.value !== null && <RankingView ranking={ranking.value} />}
    </>
  );
}
