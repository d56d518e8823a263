import { useId, useState } from "preact/hooks";
import { open, source, table } from "../../state/own-data.js";

/** Where a file is dropped or chosen, or the example taken. */
export function FilePicker() {
  const id = useId();
  const [over, setOver] = useState(false);
  const take = (file: File | null | undefined) => {
    if (file instanceof File) void open({ name: file.name, file });
  };
  return (
    <section
      class={over ? "drop over" : "drop"}
      aria-label="Your file"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files[0]);
      }}
    >
      <label for={id}>A CSV file: drop it here, or choose it</label>
      <input
        id={id}
        type="file"
        accept=".csv,.tsv,.txt,text/csv,text/plain"
        onChange={({ currentTarget }) => {
          take(currentTarget.files?.[0]);
          // So that the same file can be chosen once more.
          currentTarget.value = "";
        }}
      />
      <button type="button" onClick={() => void open({ name: "breast-cancer-with-flips.csv", file: null })}>
        Try the example
      </button>
      <p class="hint">
        {source.value === null
          ? "The example is the Wisconsin breast cancer data with 29 of 569 labels turned on purpose."
          : described(source.value.name)}
      </p>
    </section>
  );
}

const delimiters: Readonly<Record<string, string>> = { ",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars" };

function described(name: string): string {
  if (table.value === null) return name;
  const { rows, kept, columns, delimiter } = table.value;
  const count = (number: number) => number.toLocaleString("en");
  const subset =
    kept < rows
      ? ` ${count(kept)} rows, drawn at random, are worked with: that is what a browser does in seconds.`
      : "";
  return `${name}: ${count(rows)} rows, ${columns.length} columns, separated by ${delimiters[delimiter] ?? delimiter}.${subset}`;
}
