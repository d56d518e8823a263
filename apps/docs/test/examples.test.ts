import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codeBlocks } from "../../../tooling/doc-test/source/page-examples.js";
import { executedPages } from "../../../tooling/doc-test/source/pages.js";
import { pages } from "../src/pages.js";
import { workspaceRoot } from "../src/workspace.js";

const executed = new Set(executedPages);

/** Pages whose programs need a package that is no part of the workspace: tooling/pack-test/test/plugin.test.ts runs them. */
const followed: ReadonlySet<string> = new Set(["docs/write-an-aggregator.md", "examples/aggregator-plugin/README.md"]);

const isProgram = (language: string): boolean => /^(ts|typescript|js|javascript|mjs|tsx|jsx|html)$/.test(language);

describe("programs in the pages of the site", () => {
  it("are executed by the tests of the documentation, or from tarballs", () => {
    const blocks = [...pages].flatMap((page) =>
      codeBlocks(join(workspaceRoot, page))
        .filter(({ language }) => isProgram(language))
        .map((block) => ({ ...block, page })),
    );
    const idle = blocks.filter(({ page, language, mark }) => {
      const isRun = executed.has(join(workspaceRoot, page)) && /^t/.test(language) && mark !== "ignore";
      return !isRun && !(followed.has(page) && language === "js");
    });
    expect(blocks.length).toBeGreaterThan(20);
    expect(idle.map(({ page, line }) => `${page}:${line}`)).toEqual([]);
  });
});
