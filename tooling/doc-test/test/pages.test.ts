import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pagePrograms } from "../source/page-examples.js";
import { executedPages } from "../source/pages.js";
import { writeAndCheck } from "../source/type-check.js";
import { emptyFolder, fromRoot } from "../source/workspace.js";

const folder = emptyFolder("pages");

const programs = executedPages.flatMap((page) =>
  pagePrograms(page).map((program) => ({
    ...program,
    page: fromRoot(page),
    file: join(folder, fromRoot(page).replaceAll("/", "-"), program.file),
  })),
);
const runnable = programs.filter((program) => program.kind !== "ignored");
const errorsIn = writeAndCheck(new Map(runnable.map(({ file, code }) => [file, `${code}\nexport {};\n`])));

describe.each([...new Set(programs.map((program) => program.page))])("%s", (page) => {
  for (const { file, lines, kind } of programs.filter((program) => program.page === page)) {
    const title = `example on line ${lines.join(" and ")}`;
    it.skipIf(kind === "ignored")(title, async () => {
      expect(errorsIn(file)).toEqual([]);
      if (kind === "program") await import(/* @vite-ignore */ file);
    });
    if (kind === "test") describe(title, () => import(/* @vite-ignore */ file));
  }
});
