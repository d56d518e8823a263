import { codedError, generator } from "@robgrad/tensor";
import { csvRecords } from "./csv-records.js";

/** Rows that are worked with; of a longer file this many are drawn. */
export const mostRows = 20_000;

/** Different values of a column that are counted. */
const mostValues = 1000;

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number that a cell holds; NaN for none. */
export const numberIn = (cell: string): number => (decimal.test(cell) ? Number(cell) : NaN);

/** What there is in one column of the whole file. */
export interface ColumnSummary {
  readonly name: string;
  readonly numbers: number;
  readonly empty: number;
  /** Neither a number nor empty. */
  readonly texts: number;
  /** Different values, empty cells apart; null for more than are counted. */
  readonly values: number | null;
  /** Whether it counts the rows, one by one. */
  readonly counts: boolean;
}

/** What a file holds. */
export interface TableSummary {
  readonly columns: readonly ColumnSummary[];
  /** Rows below the names, blank lines apart. */
  readonly rows: number;
  /** Rows that are worked with. */
  readonly kept: number;
  readonly header: boolean;
  readonly delimiter: string;
  /** The first rows. */
  readonly preview: readonly (readonly string[])[];
}

/** A row as it is in the file. */
export interface TextRow {
  /** Counted from 1, with the names. */
  readonly row: number;
  readonly cells: readonly string[];
}

export interface TextTable {
  readonly summary: TableSummary;
  /** In the order of the file. */
  readonly rows: readonly TextRow[];
}

/** Told of the bytes read. */
export type ReadProgress = (read: number) => void;

/**
 * Reads a table of text. Of more than `mostRows` rows a random sample is kept, each with equal chance; columns are
 * summarised over all rows.
 *
 * @param header    Whether the first row holds names; null to look whether it holds no number.
 * @throws          Rejects with BAD_DATA for an empty file and for what `csvRecords` refuses.
 */
export async function readTextTable(file: Blob, header: boolean | null, progress: ReadProgress): Promise<TextTable> {
  let columns: Tally[] | null = null;
  let named = header ?? false;
  let separator = ",";
  const sample = new Sample<TextRow>(mostRows);
  const preview: (readonly string[])[] = [];
  let row = 0;
  for await (const { records, read, delimiter } of csvRecords(file)) {
    separator = delimiter;
    for (const record of records) {
      row++;
      const cells = record.map((cell) => cell.trim());
      if (cells.length === 1 && cells[0] === "") continue;
      if (columns === null) {
        named = header ?? cells.every((cell) => Number.isNaN(numberIn(cell)));
        columns = cells.map((cell, k) => new Tally(named && cell !== "" ? cell : `column ${k + 1}`));
        if (named) continue;
      }
      columns.forEach((column, k) => column.add(cells[k] ?? ""));
      if (preview.length < 5) preview.push(cells);
      sample.add({ row, cells });
    }
    progress(read);
  }
  if (columns === null || sample.seen === 0) {
    throw codedError("BAD_DATA", `expected rows of data, found ${columns === null ? "an empty file" : "names alone"}`);
  }
  const rows = sample.kept.sort((a, b) => a.row - b.row);
  return {
    rows,
    summary: {
      columns: columns.map((column) => column.summary),
      rows: sample.seen,
      kept: rows.length,
      header: named,
      delimiter: separator,
      preview,
    },
  };
}

/** Counts of one column. */
class Tally {
  readonly #name: string;
  #numbers = 0;
  #empty = 0;
  #texts = 0;
  #values: Set<string> | null = new Set();
  #counts = true;
  #last = NaN;

  constructor(name: string) {
    this.#name = name;
  }

  add(cell: string): void {
    const number = numberIn(cell);
    if (cell === "") this.#empty++;
    else if (Number.isFinite(number)) this.#numbers++;
    else this.#texts++;
    if (!(number === this.#last + 1) && !(Number.isNaN(this.#last) && Number.isInteger(number))) this.#counts = false;
    this.#last = number;
    if (cell !== "") this.#values?.add(cell);
    if ((this.#values?.size ?? 0) > mostValues) this.#values = null;
  }

  get summary(): ColumnSummary {
    const counted = this.#numbers + this.#empty + this.#texts;
    return {
      name: this.#name,
      numbers: this.#numbers,
      empty: this.#empty,
      texts: this.#texts,
      values: this.#values?.size ?? null,
      counts: this.#counts && counted > 2,
    };
  }
}

/** A random sample of a fixed size of what comes by. J. Vitter (1985), Random sampling with a reservoir, Algorithm R. */
class Sample<T> {
  readonly kept: T[] = [];
  readonly #size: number;
  readonly #generator = generator(0);
  #draws: ArrayLike<number> = [];
  #drawn = 0;
  seen = 0;

  constructor(size: number) {
    this.#size = size;
  }

  add(value: T): void {
    this.seen++;
    if (this.kept.length < this.#size) {
      this.kept.push(value);
      return;
    }
    if (this.#drawn === this.#draws.length) {
      this.#draws = this.#generator.uniform([4096]).values;
      this.#drawn = 0;
    }
    const place = Math.floor(this.#draws[this.#drawn++]! * this.seen);
    if (place < this.#size) this.kept[place] = value;
  }
}
