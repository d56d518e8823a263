import { binary, integer, type Code, type FunctionBody } from "./assembler.js";

/** A tile in scratch memory: `length` rows, each `vectors` vectors wide, every lane a column of its own. */
export interface Rows {
  readonly address: Code;
  /** A number, or code that pushes one. */
  readonly length: number | Code;
  readonly vectors: number;
  readonly wide: boolean;
}

export const rowBytes = ({ vectors }: Rows) => 16 * vectors;

/** The vector of a row. */
export const cell =
  (row: Code, vector: number): Code =>
  (f) =>
    f.load("v128.load", { base: row, offset: 16 * vector });

/** Walks the rows: `body` gets code that pushes the address of the present one. */
export function eachRow(f: FunctionBody, rows: Rows, body: (row: Code) => void): void {
  f.scope(() => {
    const row = f.variable("i32");
    f.set(row, rows.address);
    const step = () => {
      f.scope(() => body(row.get));
      f.advance(row, rowBytes(rows));
    };
    if (typeof rows.length === "number") f.repeat(rows.length, step);
    else f.repeatTimes(rows.length, step);
  });
}

/** Rows that {@link eachCell} takes at a time: so many less one have to follow that change nothing. */
export const together = 4;

/** Walks the rows, several in a turn: `body` gets code that pushes a vector of the present one. */
export function eachCell(f: FunctionBody, rows: Rows, body: (cell: (vector: number) => Code) => void): void {
  f.scope(() => {
    const row = f.variable("i32");
    f.set(row, rows.address);
    const step = () => {
      for (let k = 0; k < together; k++) f.scope(() => body((vector) => cell(row.get, k * rows.vectors + vector)));
      f.advance(row, together * rowBytes(rows));
    };
    const { length } = rows;
    if (typeof length === "number") f.repeat(Math.ceil(length / together), step);
    else {
      const more = binary("i32.add", length, integer(together - 1));
      f.repeatTimes(binary("i32.div_u", more, integer(together)), step);
    }
  });
}
