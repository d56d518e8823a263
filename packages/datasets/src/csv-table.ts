import { codedError } from "@robgrad/tensor";
import Papa from "papaparse";
import { describe } from "./host-array.js";

/** A column by its name in the header, or by its index from 0; negative indices count from the end. */
export type Column = string | number;

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
export const isNumber = (cell: string): boolean => decimal.test(cell) && Number.isFinite(Number(cell));

/** Rows of cells under an optional header; rows are counted from 0 below it, in errors from 1 and with it. */
export class CsvTable {
  readonly file: string;
  #rows: readonly (readonly string[])[];
  #header: readonly string[] | undefined;

  constructor(text: string | Uint8Array, file: string, delimiter: string) {
    this.file = file;
    this.#rows = parse(decode(text, file), file, delimiter);
  }

  get length(): number {
    return this.#rows.length;
  }

  get columns(): readonly number[] {
    return Array.from(this.#rows[0] ?? this.#header ?? [], (_, column) => column);
  }

  takeHeader(header: boolean | "detect" | undefined): void {
    if (header === false) {
      throw codedError(
        "BAD_ARGUMENT",
        `readCsv: expected columns by index when header is false, found names; ${this.file} has none then`,
      );
    }
    this.#header = this.#rows[0];
    this.#rows = this.#rows.slice(1);
  }

  column(column: Column): number {
    const width = (this.#header ?? this.#rows[0] ?? []).length;
    if (typeof column === "number") {
      const index = column < 0 ? column + width : column;
      if (Number.isInteger(index) && index >= 0 && index < width) return index;
      throw codedError(
        "BAD_ARGUMENT",
        `readCsv: expected a column in [${-width}, ${width}) of ${this.file}, found ${column}`,
      );
    }
    const places = this.columns.filter((index) => this.#header?.[index] === column);
    if (places.length === 1) return places[0]!;
    const names = (this.#header ?? []).map((name) => JSON.stringify(name)).join(", ");
    throw codedError(
      "BAD_ARGUMENT",
      `readCsv: expected one column named ${JSON.stringify(column)} in ${this.file}, found ${places.length} among ${names}`,
    );
  }

  name(column: number): string {
    return this.#header?.[column] ?? `column ${column + 1}`;
  }

  text(row: number, column: number): string {
    return this.#rows[row]?.[column] ?? "";
  }

  cell(row: number, column: number): string {
    const cell = this.text(row, column);
    return cell === "" ? this.fail(row, column, "a value", cell) : cell;
  }

  number(row: number, column: number): number {
    const cell = this.cell(row, column);
    return isNumber(cell) ? Number(cell) : this.fail(row, column, "a finite number", cell);
  }

  fail(row: number, column: number, expected: string, found: string): never {
    const name = this.#header === undefined ? "" : ` (${this.#header[column] ?? ""})`;
    const line = row + (this.#header === undefined ? 1 : 2);
    throw codedError(
      "BAD_DATA",
      `${this.file}, row ${line}, column ${column + 1}${name}: expected ${expected}, found ${describe(found)}`,
    );
  }
}

function decode(text: string | Uint8Array, file: string): string {
  if (typeof text === "string") return text;
  if (!(text instanceof Uint8Array)) {
    throw codedError("BAD_ARGUMENT", `readCsv: expected a string or a Uint8Array, found ${describe(text)}`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(text);
  } catch {
    throw codedError("BAD_DATA", `${file}: expected text in UTF-8, found bytes that are not`);
  }
}

function parse(text: string, file: string, delimiter: string): readonly (readonly string[])[] {
  if (typeof delimiter !== "string" || delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
    throw codedError(
      "BAD_ARGUMENT",
      `readCsv: expected delimiter to be one character, not a quote or line end, found ${describe(delimiter)}`,
    );
  }
  const lines = text
    .replace(/^\uFEFF/, "")
    .replace(/\r\n?/g, "\n")
    .replace(/\n+$/, "");
  const { data, errors } = Papa.parse<string[]>(lines, { delimiter, newline: "\n" });
  const [error] = errors;
  if (error !== undefined) {
    throw codedError(
      "BAD_DATA",
      `${file}, row ${(error.row ?? 0) + 1}: expected quotes around whole cells, found ${error.message}`,
    );
  }
  const rows = lines === "" ? [] : data.map((row) => row.map((cell) => cell.trim()));
  const width = rows[0]?.length ?? 0;
  const ragged = rows.findIndex((row) => row.length !== width);
  if (ragged >= 0) {
    const found = rows[ragged]?.length ?? 0;
    throw codedError(
      "BAD_DATA",
      `${file}, row ${ragged + 1}, column ${Math.min(found, width) + 1}: expected ${width} cells as in row 1, found ${found}`,
    );
  }
  return rows;
}
