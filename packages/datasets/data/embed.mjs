// Writes the data files of this folder into the modules of ../src/embedded. Run: node data/embed.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const read = (name) => readFileSync(new URL(name, import.meta.url));
const rows = (text) => text.trim().split("\n").map((line) => line.trim().split(","));
const lines = (items, perLine) =>
  items.flatMap((_, k) => (k % perLine === 0 ? [items.slice(k, k + perLine).join(" ")] : [])).join("\n");
const write = (name, comment, constant, text) =>
  writeFileSync(
    new URL(`../src/embedded/${name}.ts`, import.meta.url),
    `// Written by data/embed.mjs from ${comment}\nexport const ${constant} = \`\n${text}\n\`;\n`,
  );

const iris = rows(read("iris-fisher.csv").toString()).slice(1);
write(
  "iris-table",
  "data/iris-fisher.csv (R. A. Fisher, 1936).\n// Fifty flowers a class; sepal length, sepal width, petal length, petal width in mm, two digits each.",
  "irisTable",
  lines(iris.map((row) => row.slice(0, 4).map((cell) => String(Math.round(cell * 10)).padStart(2, "0")).join("")), 10),
);

const tables = { wine: "S. Aeberhard and M. Forina, 1991; UCI, CC BY 4.0", "breast-cancer": "Wolberg, Mangasarian, Street and Street, 1995; UCI, CC BY 4.0" };
for (const [name, notice] of Object.entries(tables)) {
  const constant = `${name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())}Table`;
  const table = rows(read(`${name}.csv`).toString()).slice(1);
  write(`${name}-table`, `data/${name}.csv (${notice}).\n// A row a line, the label last.`, constant, table.map((row) => row.join(",")).join("\n"));
}

const digits = rows(gunzipSync(read("digits.csv.gz")).toString());
write(
  "digits-table",
  "data/digits.csv.gz (E. Alpaydin and C. Kaynak, 1998; UCI, CC BY 4.0).\n// An image a line: 64 pixels as digits of base 17 (0–9, a–g), then the label.",
  "digitsTable",
  digits.map((row) => row.slice(0, 64).map((cell) => Number(cell).toString(17)).join("") + row[64]).join("\n"),
);
