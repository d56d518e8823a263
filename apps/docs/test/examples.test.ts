import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codeBlocks } from "../../../tooling/doc-test/source/page-examples.js";
import { pages as executedPages } from "../../../tooling/doc-test/source/pages.js";
import { pages } from "../src/pages.js";
import { workspaceRoot } from "../src/workspace.js";

const isProgram = (language: string): boolean => /^(ts|typescript|js|javascript|mjs|tsx|jsx|html)$/.test(language);

describe("programs in the pages of the site", () => {
  it("are executed by the tests of the documentation", () => {
    const executed = new Set(executedPages);
    const blocks = [...pages].flatMap((page) =>
      codeBlocks(join(workspaceRoot, page))
        .filter(({ language }) => isProgram(language))
        .map((block) => ({ ...block, page })),
    );
    const idle = blocks.filter(
      ({ page, language, mark }) => !executed.has(page) || !language.startsWith("t") || mark === "ignore",
    );
    expect(blocks.length).toBeGreaterThan(idle.length);
    expect(idle.map(({ page, line }) => `${page}:${line}`)).toEqual([]);
  });
});
