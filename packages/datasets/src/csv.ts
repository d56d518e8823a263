import { codedError } from "@robgrad/tensor";
import { CsvTable, isNumber, type Column } from "./csv-table.js";
import type { Dataset } from "./dataset.js";
import type { HostArray } from "./host-array.js";

/** How a CSV text is to be read. */
export interface CsvOptions {
  /** Name of the file, for errors and for `source`. */
  readonly file?: string;
  /** Whether the first row holds names; "detect" (default) says yes when none of its feature cells is a number. */
  readonly header?: boolean | "detect";
  /** Columns to read as features, in this order; all but the label column when left out. */
  readonly features?: readonly Column[];
  /** One character between cells; a comma when left out. */
  readonly delimiter?: string;
}

/** Further options when a column holds the classes. */
export interface LabelledCsvOptions extends CsvOptions {
  /** Column of the labels. */
  readonly label: Column;
  /** Names of the classes in the order of the labels; cells hold one of the names or its index. */
  readonly classNames?: readonly string[];
}

/** A table of numbers without labels. */
export type NumberTable = Pick<Dataset, "features" | "featureNames" | "source">;

/**
 * Reads comma-separated numbers, and one column of classes if there is one.
 *
 * Quoted cells, CRLF line ends, a byte order mark and blank lines at the end are understood (RFC 4180). A cell of a
 * feature column is a finite decimal number; anything else is an error, for a silent NaN would train. Classes are the
 * integers 0, 1, 2, … as they are, or names, numbered in alphabetical order unless `classNames` gives the order.
 *
 * @param text     The text, or its bytes in UTF-8.
 * @param options  See {@link CsvOptions} and {@link LabelledCsvOptions}.
 * @returns        Features [N, D], featureNames and source; with `label` a whole {@link Dataset}.
 * @throws         BAD_DATA naming file, row and column (both from 1, the header being row 1) for a missing cell, a cell
 *                 that is not a finite number, a label that is not an integer in range or not one of the names, rows of
 *                 unequal length, stray quotes, or no rows; BAD_ARGUMENT for a column or an option that does not exist.
 * @example        const { features, labels, classNames } = readCsv("length,width,species\n1.5,2,a\n3,4,b\n", { label: "species" });
 */
export function readCsv(text: string | Uint8Array, options: LabelledCsvOptions): Dataset;
export function readCsv(text: string | Uint8Array, options?: CsvOptions): NumberTable;
export function readCsv(
  text: string | Uint8Array,
  options: CsvOptions | LabelledCsvOptions = {},
): Dataset | NumberTable {
  const { file = "CSV", features: chosen } = options;
  const table = new CsvTable(text, file, options.delimiter ?? ",");
  const named = [...(chosen ?? []), ...("label" in options ? [options.label] : [])].some(
    (column) => typeof column === "string",
  );

  if (table.length === 0) throw codedError("BAD_DATA", `${file}: expected at least one row of data, found none`);

  // Indices can be resolved before it is known whether there is a header; names say that there is one.
  if (named) table.takeHeader(options.header);
  const label = "label" in options ? table.column(options.label) : undefined;
  const columns = chosen?.map((column) => table.column(column)) ?? table.columns.filter((column) => column !== label);
  if (columns.length === 0)
    throw codedError("BAD_ARGUMENT", `readCsv: expected at least one column of features in ${file}, found none`);
  if (!named && hasHeader(table, columns, options.header ?? "detect")) table.takeHeader(true);
  if (table.length === 0) throw codedError("BAD_DATA", `${file}: expected at least one row of data, found none`);

  const features: HostArray = {
    values: Float64Array.from({ length: table.length * columns.length }, (_, k) =>
      table.number(Math.floor(k / columns.length), columns[k % columns.length]!),
    ),
    shape: [table.length, columns.length],
  };
  const read = { features, featureNames: columns.map((column) => table.name(column)), source: file };
  return label === undefined ? read : { ...read, ...classes(table, label, (options as LabelledCsvOptions).classNames) };
}

/** Largest class number taken from a file without names; more is an identifier, not a class. */
const mostClasses = 65536;

function hasHeader(table: CsvTable, columns: readonly number[], header: boolean | "detect"): boolean {
  if (header !== "detect" || table.length === 0) return header === true;
  const numbers = columns.filter((column) => isNumber(table.text(0, column)));
  if (numbers.length === 0) return true;
  const odd = columns.find((column) => !numbers.includes(column));
  if (odd !== undefined)
    table.fail(
      0,
      odd,
      "a finite number, as in other cells of this row (or say whether there is a header)",
      table.text(0, odd),
    );
  return false;
}

function classes(
  table: CsvTable,
  column: number,
  classNames: readonly string[] | undefined,
): Pick<Dataset, "labels" | "classNames"> {
  const cells = Array.from({ length: table.length }, (_, row) => table.cell(row, column));
  const names = classNames ?? classesOf(table, column, cells);
  const indices = new Map(names.map((name, index) => [name, index]));
  if (names.length === 0 || indices.size !== names.length) {
    throw codedError("BAD_ARGUMENT", `readCsv: expected distinct classNames, found ${quoted(names)}`);
  }
  // "1" is an index unless it is the name of another class.
  const byName = cells.some((cell) => indices.has(cell) && indices.get(cell) !== Number(cell));
  const labels = Int32Array.from(cells, (cell, row) => {
    const label = byName ? indices.get(cell) : isNumber(cell) ? Number(cell) : undefined;
    if (label !== undefined && Number.isInteger(label) && label >= 0 && label < names.length) return label;
    const expected = byName
      ? `one of ${quoted(names)}`
      : `an integer in 0 … ${names.length - 1} or one of ${quoted(names)}`;
    return table.fail(row, column, expected, cell);
  });
  return { labels: { values: labels, shape: [labels.length] }, classNames: names };
}

/** Class names found in a column: all integers, or all text. */
function classesOf(table: CsvTable, column: number, cells: readonly string[]): readonly string[] {
  if (!cells.some(isNumber)) return [...new Set(cells)].sort();
  let largest = 0;
  cells.forEach((cell, row) => {
    const label = isNumber(cell) ? Number(cell) : NaN;
    if (!Number.isInteger(label) || label < 0 || label >= mostClasses) {
      table.fail(row, column, `an integer in 0 … ${mostClasses - 1} as class`, cell);
    }
    largest = Math.max(largest, label);
  });
  return Array.from({ length: largest + 1 }, (_, index) => String(index));
}

function quoted(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => JSON.stringify(name));
  return names.length > 8 ? `${shown.join(", ")}, … (${names.length})` : shown.join(", ") || "none";
}
