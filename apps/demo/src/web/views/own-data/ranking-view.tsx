import { useState } from "preact/hooks";
import { Slider } from "../../controls/field.jsx";
import { distrustPlane, ownClassStyle } from "../../plots/distrust-plane.js";
import { Figure } from "../../plots/figure.jsx";
import { choice, exportList } from "../../state/own-data.js";
import type { Ranking } from "../../worker/own-data/own-data.js";

/** Feature columns that are listed; the file that is exported holds all. */
const mostColumns = 6;

/** Which rows are distrusted: in words, in the plane, as a list. */
export function RankingView({ ranking }: { readonly ranking: Ranking }) {
  const { rows, first, points, classNames, constant, planted, seconds } = ranking;
  const [marked, setMarked] = useState(Math.min(first.length, Math.max(5, Math.round(0.05 * rows))));
  const differ = first.slice(0, marked).filter(({ label, says }) => label !== says).length;
  return (
    <section aria-label="Distrusted rows">
      <h2>Distrusted rows</h2>
      <p>
        Four models were trained on {rows.toLocaleString("en")} rows in {seconds.toFixed(1)} s: one with the mean, three
        with robust rules (norm clip at the 80 % quantile and at 1, median of means). Distrust is the mean of the three
        robust ones’ losses, −ln of the probability that they give to a row’s label.{" "}
        {planted !== null && (
          <strong>
            {planted.count} labels were turned on purpose; {planted.found} of the first {planted.count} rows are among
            them ({planted.foundByMean} with the mean alone).
          </strong>
        )}
        {constant.length > 0 && ` Left out, since they are the same in every row: ${constant.join(", ")}.`}
      </p>
      <p class="hint">
        Distrusted is not wrong: a row that is rare but right comes early, too, and so do rows of rare classes.
      </p>
      <Slider
        label="Marked"
        value={marked}
        min={1}
        max={first.length}
        shown={`the first ${marked} rows; the models say another class in ${differ} of them`}
        onChange={setMarked}
      />
      <Figure
        name="distrusted-rows"
        title="All rows in two principal components"
        description={`Rows by class in the plane of two principal components, of the half that is least distrusted; the ${marked} most distrusted have a ring.`}
        draw={(width) => distrustPlane(points, marked, width)}
      >
        <ul class="legend">
          {classNames.slice(0, 6).map((name, label) => (
            <li key={name}>
              <span style={{ color: ownClassStyle(label).color }} aria-hidden="true">
                {
                  { circle: "●", triangle: "▲", square: "■", diamond: "◆", star: "★", cross: "✚" }[
                    ownClassStyle(label).symbol
                  ]
                }
              </span>
              {name}
            </li>
          ))}
          {classNames.length > 6 && <li>classes beyond the sixth begin with the first symbol again</li>}
          {points.length < rows && <li>{points.length.toLocaleString("en")} rows are drawn</li>}
        </ul>
      </Figure>
      <button type="button" onClick={() => void exportList()}>
        Export the ranked list
      </button>
      <List ranking={ranking} marked={marked} />
    </section>
  );
}

function List({
  ranking: { first, featureNames, rows },
  marked,
}: {
  readonly ranking: Ranking;
  readonly marked: number;
}) {
  const columns = choice.peek().features.slice(0, mostColumns);
  const known = first[0]!.planted !== null;
  const short = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 3 });
  return (
    <div class="scrolled tall" role="region" aria-label="The list" tabIndex={0}>
      <table class="distrusted">
        <caption>
          {first.length < rows ? `The first ${first.length} of ${rows.toLocaleString("en")} rows` : "All rows"}
          {featureNames.length > mostColumns && `, with ${mostColumns} of ${featureNames.length} columns`}; the export
          holds everything.
        </caption>
        <thead>
          <tr>
            <th scope="col">row in the file</th>
            <th scope="col">distrust</th>
            <th scope="col">its label</th>
            <th scope="col">the models say</th>
            {known && <th scope="col">turned</th>}
            <th scope="col">weight</th>
            <th scope="col">gradient norm</th>
            <th scope="col">loss, the mean</th>
            {featureNames.slice(0, mostColumns).map((name, k) => (
              <th key={k} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {first.map(({ row, distrust, label, says, planted, weight, norm, losses, cells }, rank) => (
            <tr key={row} class={rank < marked ? "marked" : undefined}>
              <th scope="row">{row}</th>
              <td>{short(distrust)}</td>
              <td>{label}</td>
              <td class={says === label ? undefined : "minded"}>{says}</td>
              {known && <td>{planted ? "yes" : "–"}</td>}
              <td>{short(weight)}</td>
              <td>{short(norm)}</td>
              <td>{short(losses.mean)}</td>
              {columns.map((column) => (
                <td key={column}>{cells[column]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
