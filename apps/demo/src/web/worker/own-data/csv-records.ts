import { codedError } from "@robgrad/tensor";
import Papa from "papaparse";

/** Some records of a file, in order. */
export interface RecordPiece {
  readonly records: readonly (readonly string[])[];
  /** Bytes of the file that have been read. */
  readonly read: number;
  readonly delimiter: string;
}

/** Bytes read at a time, and characters that one record may have. */
const [pieceSize, longestRecord] = [2 ** 20, 2 ** 22];

/**
 * Records of comma-separated text (or with tabs, semicolons, bars: it is guessed), a piece of the file at a time, so that a
 * large one is never in memory as a whole. A blank line is a record of one empty cell.
 *
 * @throws  Rejects with BAD_DATA for bytes that are not text in UTF-8 and for quotes that are not around whole cells, naming
 *          the record counted from 1.
 */
export async function* csvRecords(file: Blob): AsyncGenerator<RecordPiece> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let parser: Papa.Parser | null = null;
  let delimiter = ",";
  let [text, count] = ["", 0];
  for (let start = 0; start === 0 || start < file.size; start += pieceSize) {
    const end = Math.min(file.size, start + pieceSize);
    const last = end === file.size;
    text = withPlainLines(text + decoded(decoder, await file.slice(start, end).arrayBuffer(), !last), last);
    if (parser === null) {
      delimiter = Papa.parse(text.slice(0, 2 ** 16), { preview: 20 }).meta.delimiter;
      parser = new Papa.Parser({ delimiter, newline: "\n" });
    }
    const { data, errors, meta } = parser.parse(text, 0, !last) as Papa.ParseResult<string[]>;
    const [error] = errors;
    if (error !== undefined) {
      throw codedError(
        "BAD_DATA",
        `row ${count + (error.row ?? 0) + 1}: expected quotes around whole cells, found that ${error.message.toLowerCase()}`,
      );
    }
    text = text.slice(meta.cursor);
    if (text.length > longestRecord) {
      throw codedError("BAD_DATA", `row ${count + data.length + 1}: expected a quote that is closed, found none`);
    }
    count += data.length;
    yield { records: data, read: end, delimiter };
  }
}

function decoded(decoder: TextDecoder, bytes: ArrayBuffer, stream: boolean): string {
  let text: string | null = null;
  try {
    text = decoder.decode(bytes, { stream });
  } catch {
    // Said below.
  }
  if (text === null || text.includes("\0")) {
    throw codedError(
      "BAD_DATA",
      "expected comma-separated text in UTF-8, found other bytes; spreadsheets save it as “CSV UTF-8”",
    );
  }
  return text;
}

/** Lines that end with \n alone; a \r at the end waits for what follows. */
function withPlainLines(text: string, last: boolean): string {
  return text.replace(last ? /\r\n?/g : /\r\n|\r(?!$)/g, "\n");
}
