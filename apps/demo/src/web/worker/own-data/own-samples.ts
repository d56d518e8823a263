import type { HostArray } from "@robgrad/datasets";
import { codedError } from "@robgrad/tensor";
import { mostClasses } from "../../state/own-choice.js";
import { standardized } from "./standardized.js";
import { numberIn, type TextRow, type TextTable } from "./text-table.js";

const fewestRows = 20;

/** Which columns are what. */
export interface ColumnChoice {
  readonly label: number;
  readonly features: readonly number[];
}

/** A cell that cannot be learnt from. */
export interface BadCell {
  /** As counted in the file. */
  readonly row: number;
  readonly column: string;
  readonly expected: string;
  readonly found: string;
}

/** What cannot be learnt from. */
export interface BadCells {
  /** Rows with at least one. */
  readonly rows: number;
  readonly cells: number;
  readonly first: readonly BadCell[];
}

/** Rows that can be learnt from. */
export interface OwnSamples {
  readonly x: HostArray;
  readonly labels: HostArray<Int32Array>;
  readonly rows: readonly TextRow[];
  readonly classNames: readonly string[];
  /** Names of columns that are the same in every row, and so were left out. */
  readonly constant: readonly string[];
}

/** Cells of the chosen columns that hold no number, or no label, and rows of another length than the first. */
export function badCells({ rows, summary: { columns } }: TextTable, choice: ColumnChoice): BadCells {
  const first: BadCell[] = [];
  let [cells, spoilt] = [0, 0];
  for (const row of rows) {
    const found = badIn(
      row,
      columns.map(({ name }) => name),
      choice,
    );
    cells += found.length;
    if (found.length > 0) spoilt++;
    first.push(...found.slice(0, 20 - first.length));
  }
  return { rows: spoilt, cells, first };
}

/**
 * The rows without bad cells, features standardised.
 *
 * @throws  BAD_DATA where there is nothing to learn: too few rows, one class or too many, no column that varies.
 */
export function ownSamples(table: TextTable, choice: ColumnChoice): OwnSamples {
  const names = table.summary.columns.map(({ name }) => name);
  const rows = table.rows.filter((row) => badIn(row, names, choice).length === 0);
  const label = names[choice.label]!;
  if (rows.length < fewestRows) {
    throw codedError("BAD_DATA", `expected at least ${fewestRows} rows without bad cells, found ${rows.length}`);
  }
  const cells = rows.map((row) => row.cells[choice.label]!);
  const classNames = [...new Set(cells)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (classNames.length < 2) {
    throw codedError(
      "BAD_DATA",
      `expected two classes or more in ${label}, found ${classNames[0]!} in every row: there is nothing to tell apart`,
    );
  }
  if (classNames.length > mostClasses) {
    throw codedError(
      "BAD_DATA",
      `expected at most ${mostClasses} classes in ${label}, found ${classNames.length} different values; choose another column as the label`,
    );
  }
  const { x, constant } = standardized({
    values: Float64Array.from(rows.flatMap((row) => choice.features.map((column) => numberIn(row.cells[column]!)))),
    shape: [rows.length, choice.features.length],
  });
  if (x.shape[1] === 0)
    throw codedError("BAD_DATA", "expected a column that varies, found none among those to learn from");
  const classes = new Map(classNames.map((name, k) => [name, k]));
  return {
    x,
    labels: { values: Int32Array.from(cells, (cell) => classes.get(cell)!), shape: [rows.length] },
    rows,
    classNames,
    constant: constant.map((k) => names[choice.features[k]!]!),
  };
}

function badIn({ row, cells }: TextRow, names: readonly string[], { label, features }: ColumnChoice): BadCell[] {
  if (cells.length !== names.length) {
    const column = names[Math.min(cells.length, names.length - 1)]!;
    return [{ row, column, expected: `${names.length} cells`, found: `${cells.length}` }];
  }
  const bad: BadCell[] = [];
  if (cells[label] === "") bad.push({ row, column: names[label]!, expected: "a label", found: "" });
  for (const column of features) {
    if (Number.isFinite(numberIn(cells[column]!))) continue;
    bad.push({ row, column: names[column]!, expected: "a number", found: cells[column]! });
  }
  return bad;
}
