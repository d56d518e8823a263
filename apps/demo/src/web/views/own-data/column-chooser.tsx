import { Choice } from "../../controls/field.jsx";
import { isNumeric, mostFeatures, unfitAsLabel } from "../../state/own-choice.js";
import { choice, choose, open, source } from "../../state/own-data.js";
import type { TableSummary } from "../../worker/own-data/text-table.js";

/** Which column is the label, what is learnt from, and how. */
export function ColumnChooser({ table }: { readonly table: TableSummary }) {
  const { columns, header, preview } = table;
  const { label, features, hidden } = choice.value;
  const unfit = label === null ? null : unfitAsLabel(columns[label]!);
  return (
    <section aria-label="Columns">
      <div class="scrolled" role="region" aria-label="The first rows" tabIndex={0}>
        <table>
          <caption>The first rows</caption>
          <thead>
            <tr>
              {columns.map(({ name }, k) => (
                <th key={k} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {preview.slice(0, 3).map((cells, k) => (
              <tr key={k}>
                {columns.map((_, column) => (
                  <td key={column}>{cells[column]}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <label class="names">
        <input
          type="checkbox"
          checked={header}
          onChange={(event) => void open(source.peek()!, event.currentTarget.checked)}
        />{" "}
        The first row holds names
      </label>
      <div class="row">
        <Choice
          label="Label"
          value={String(label ?? -1)}
          options={[
            ...(label === null ? [{ value: "-1", label: "choose a column …" }] : []),
            ...columns.map((column, k) => ({
              value: String(k),
              label: `${column.name} (${unfitAsLabel(column) ?? `${column.values} classes`})`,
            })),
          ]}
          onChange={(value) => {
            const next = Number(value);
            void choose({ label: next, features: features.filter((column) => column !== next) });
          }}
        />
        <Choice
          label="Model"
          value={String(hidden)}
          options={[
            { value: "0", label: "linear" },
            { value: "16", label: "a hidden layer of 16" },
          ]}
          onChange={(value) => void choose({ hidden: Number(value) })}
        />
      </div>
      {label === null && (
        <p class="refused">No column suggests itself as the label: choose the one that holds classes.</p>
      )}
      {unfit !== null && (
        <p class="refused">
          {columns[label!]!.name} has {unfit}. A label has 2 to 50 classes; choose another column.
        </p>
      )}
      <fieldset class="rules">
        <legend>
          Learnt from ({features.length} of {columns.filter(isNumeric).length} columns of numbers)
        </legend>
        <div class="checks">
          {columns.map(
            (column, k) =>
              k !== label && (
                <label key={k} class={isNumeric(column) ? undefined : "hint"}>
                  <input
                    type="checkbox"
                    checked={features.includes(k)}
                    disabled={!isNumeric(column) || (features.length >= mostFeatures && !features.includes(k))}
                    onChange={(event) => {
                      const others = features.filter((other) => other !== k);
                      const next = event.currentTarget.checked ? [...others, k].sort((a, b) => a - b) : others;
                      void choose({ features: next });
                    }}
                  />{" "}
                  {column.name}
                  {!isNumeric(column) ? ": text" : column.counts ? ": counts the rows" : ""}
                </label>
              ),
          )}
        </div>
        <p class="hint">
          Every column is centred at its median and divided by 1.4826 times its median absolute deviation, which a few
          wild values do not change.
        </p>
      </fieldset>
    </section>
  );
}
