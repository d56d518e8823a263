import { fromRoot, workspaceRoot } from "./workspace.js";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

interface Section {
  readonly title: string;
  /** Paths from the root of the repository, with an anchor if only a part is meant. */
  readonly pages: readonly (string | { readonly page: string; readonly title: string })[];
  readonly collapsed?: boolean;
}

/** The packages, each before those that import it. */
export const packages = ["tensor", "autograd", "nn", "aggregators", "datasets"];

/** Every page of the site but those of the API, as they follow one another. */
export const sections: readonly Section[] = [
  {
    title: "Start",
    pages: [
      { page: "docs/README.md", title: "Overview" },
      { page: "docs/see-it.md", title: "1. See it: the study" },
      { page: "README.md#2-use-it-a-robust-classifier", title: "2. Use it: a robust classifier" },
      { page: "docs/write-an-aggregator.md", title: "3. Extend it: your own rule" },
    ],
  },
  {
    title: "Packages",
    pages: packages.map((name) => `packages/${name}/README.md`),
  },
  {
    title: "Guides",
    pages: [
      "docs/backpropagation-by-hand.md",
      "docs/differentiation.md",
      "docs/custom-functions.md",
      "docs/index-set.md",
      "docs/symbolic-influence.md",
      "docs/influence-report.md",
      "docs/attacks.md",
      { page: "examples/aggregator-plugin/README.md", title: "A plugin to copy" },
    ],
  },
  {
    title: "Rules",
    pages: [
      { page: "docs/rules/README.md", title: "All rules" },
      ...readdirSync(join(workspaceRoot, "docs/rules"))
        .filter((name) => name.endsWith(".md") && name !== "README.md")
        .sort()
        .map((name) => `docs/rules/${name}`),
    ],
    collapsed: true,
  },
  {
    title: "Findings",
    pages: ["docs/study.md", "docs/leaderboard.md", "docs/regression.md", "docs/benchmarks.md"],
  },
  { title: "Project", pages: ["docs/architecture.md", "CONTRIBUTING.md"] },
];

const fileOf = (page: string): string => page.replace(/#.*/, "");

/** Paths of the pages from the root of the repository. */
export const pages: ReadonlySet<string> = new Set(
  sections.flatMap((section) => section.pages.map((entry) => fileOf(typeof entry === "string" ? entry : entry.page))),
);

/**
 * Where a page of the repository is in the site: docs/rules/README.md → rules/index.md.
 *
 * @throws  Error for a page without a section.
 */
export function addressOf(page: string): string {
  if (!pages.has(page)) {
    throw new Error(`${page}: expected a section for it in apps/docs/src/pages.ts, found none.`);
  }
  if (page === "README.md") return "three-uses.md";
  return page
    .toLowerCase()
    .replace(/^docs\//, "")
    .replace(/(^|\/)readme\.md$/, "$1index.md");
}

/**
 * What a link of a page means in the site. A folder means its README.md, as on GitHub.
 *
 * @param page  Path of the page from the root of the repository.
 * @returns     From the root of the site; a link that is not relative is left as it is.
 * @throws      Error for a link that leads to no page of the site.
 */
export function linkTarget(link: string, page: string): string {
  if (/^([a-z]+:|#|\/)/.test(link)) return link;
  const [path, anchor] = link.split("#") as [string, string?];
  const linked = resolve(workspaceRoot, dirname(page), path);
  const target = fromRoot(existsSync(linked) && statSync(linked).isDirectory() ? join(linked, "README.md") : linked);
  if (!pages.has(target)) throw new Error(`${page}: expected links to pages of the site, found ${link} (${target}).`);
  return `/${addressOf(target)}${anchor === undefined ? "" : `#${anchor}`}`;
}

/** The first heading of a page, without its marks. */
export function titleOf(page: string): string {
  const heading = /^# (.+)$/m.exec(readFileSync(join(workspaceRoot, page), "utf8"));
  if (!heading) throw new Error(`${page}: expected a heading "# …", found none.`);
  return heading[1]!.replaceAll("`", "");
}
