import { save } from "../plots/download.js";
import { notify } from "../state/store.js";

interface SaveTableProps {
  /** Of the file. */
  readonly name: string;
  /** One object a row, its keys the columns. */
  readonly rows: () => readonly Readonly<Record<string, string | number>>[];
  /** The same and more as JSON, for a program. */
  readonly json?: { readonly name: string; readonly text: () => string };
}

/** Saves the numbers behind a view. */
export function SaveTable({ name, rows, json }: SaveTableProps) {
  const saveCsv = async () => {
    try {
      const { unparse } = (await import("papaparse")).default;
      const text = `${unparse([...rows()], { newline: "\n" })}\n`;
      save(new Blob([text], { type: "text/csv" }), `${name}.csv`);
    } catch (error) {
      notify({ kind: "error", text: `The numbers could not be saved: ${(error as Error).message}` });
    }
  };
  return (
    <p class="save">
      Save the numbers:{" "}
      <button type="button" aria-label={`CSV: ${name}`} onClick={() => void saveCsv()}>
        CSV
      </button>
      {json !== undefined && (
        <>
          {" "}
          <button
            type="button"
            aria-label={`JSON: ${json.name}`}
            onClick={() => save(new Blob([json.text()], { type: "application/json" }), `${json.name}.json`)}
          >
            JSON
          </button>
        </>
      )}
    </p>
  );
}
