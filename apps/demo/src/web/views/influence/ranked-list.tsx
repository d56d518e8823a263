import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { SaveTable } from "../../controls/save-table.jsx";
import { Swatch } from "../../controls/swatch.jsx";
import { classNames } from "../../plots/plane.js";
import { chosenRow, look } from "../../state/inspection.js";
import { opening } from "../../state/live.js";
import type { SceneRow } from "../../worker/live-run.js";
import { choose, inWords, shown, type ShownRule } from "./shown-rows.js";

interface Order {
  /** "row", "class", "norm" or a rule. */
  readonly column: string;
  readonly descending: boolean;
}

/** Training rows in the order of a column; a row is chosen with a click or with arrow keys. */
export function RankedList() {
  const body = useRef<HTMLTableSectionElement>(null);
  const [order, setOrder] = useState<Order>({ column: "norm", descending: true });
  const scene = opening.value?.scene;
  const norms = look.value?.value.norms;
  if (scene === undefined || norms === undefined) return null;
  const rules = shown.value;
  const numbers = rankedRows(scene.train, norms, rules, order);
  const chosen = chosenRow.value;
  const go = (event: KeyboardEvent, place: number) => {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const next = way === undefined ? undefined : numbers[place + way];
    if (next === undefined) return;
    event.preventDefault();
    choose(next);
    body.current!.rows[place + way!]!.querySelector("button")!.focus();
  };
  const sort = (column: string) =>
    setOrder({
      column,
      descending: order.column === column ? !order.descending : column !== "row" && column !== "class",
    });
  const head = (column: string, title: ComponentChildren) => (
    <th
      key={column}
      scope="col"
      aria-sort={order.column !== column ? undefined : order.descending ? "descending" : "ascending"}
    >
      <button type="button" class="quiet" onClick={() => sort(column)}>
        {title}
        <span aria-hidden="true">{order.column !== column ? "" : order.descending ? " ▾" : " ▴"}</span>
      </button>
    </th>
  );
  return (
    <section aria-label="Ranked list">
      <h2>Ranked list</h2>
      <p class="hint">Choose a heading to sort by it, a row to look at it.</p>
      <div class="scrolled rank-list" tabIndex={0} role="region" aria-label="Rows, ranked">
        <table>
          <thead>
            <tr>
              {head("row", "row")}
              {head("class", "class")}
              {head("norm", "gradient norm")}
              {rules.map(({ rule, label, style, kind }) =>
                head(
                  rule,
                  <>
                    <Swatch style={style} /> {label}: {kind}
                  </>,
                ),
              )}
            </tr>
          </thead>
          <tbody ref={body}>
            {numbers.map((number, place) => {
              const { label, displaced } = scene.train[number]!;
              return (
                <tr key={number} class={number === chosen ? "chosen" : undefined} onClick={() => choose(number)}>
                  <th scope="row">
                    <button
                      type="button"
                      class="quiet"
                      aria-pressed={number === chosen}
                      aria-label={`Row ${number}`}
                      tabIndex={number === chosen ? 0 : -1}
                      onKeyDown={(event) => go(event, place)}
                    >
                      {number}
                    </button>
                  </th>
                  <td class="words">
                    {classNames[label]}
                    {displaced && ", displaced"}
                  </td>
                  <td>{norms[number]!.toLocaleString("en", { maximumSignificantDigits: 3 })}</td>
                  {rules.map(({ rule, kind, values }) => (
                    <td key={rule}>{values === null ? "–" : inWords(kind, values[number]!)}</td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <SaveTable name="ranked-rows" rows={() => digits(scene.train, norms, rules, numbers)} />
    </section>
  );
}

/** Numbers of the rows, in order; equals by their numbers. */
function rankedRows(
  rows: readonly SceneRow[],
  norms: ArrayLike<number>,
  rules: readonly ShownRule[],
  { column, descending }: Order,
): number[] {
  const values =
    {
      row: rows.map((_, number) => number),
      class: rows.map(({ label }) => label),
      norm: norms,
    }[column] ?? rules.find(({ rule }) => rule === column)?.values;
  const numbers = rows.map((_, number) => number);
  if (values === undefined || values === null) return numbers;
  const sign = descending ? -1 : 1;
  return numbers.sort((a, b) => sign * (values[a]! - values[b]!) || a - b);
}

/** All digits of what the list shows, in its order. */
function digits(
  rows: readonly SceneRow[],
  norms: ArrayLike<number>,
  rules: readonly ShownRule[],
  numbers: readonly number[],
): Record<string, string | number>[] {
  return numbers.map((row) => {
    const { label, displaced, x, y } = rows[row]!;
    const columns = rules.map(({ rule, kind, values }) => [`${kind}: ${rule}`, values?.[row] ?? ""] as const);
    return {
      row,
      class: classNames[label]!,
      displaced: Number(displaced),
      x,
      y,
      norm: norms[row]!,
      ...Object.fromEntries(columns),
    };
  });
}
