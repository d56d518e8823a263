import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, it } from "vitest";
import { exportedNames } from "../../../tooling/doc-test/source/docstring-program.js";
import { createProgram } from "../../../tooling/doc-test/source/type-check.js";
import { apiFolderOf, entryPoints } from "../src/entry-points.js";
import { addressOf, pages } from "../src/pages.js";
import { site, siteFiles, sitePages, styleSheets } from "./built-site.js";

const isElsewhere = (address: string): boolean => /^([a-z]+:)?\/\//i.test(address);
const isData = (address: string): boolean => address.startsWith("data:");

/** The file and the anchor that a link of a page means. */
function targetOf(link: string, page: string): { readonly file: string; readonly anchor: string } {
  const { pathname, hash } = new URL(link, `https://site/${page}`);
  return { file: decodeURIComponent(pathname.slice(1)), anchor: decodeURIComponent(hash.slice(1)) };
}

describe("the site", () => {
  it("has every page of the repository that has a section, and the API", () => {
    const missing = [...pages]
      .map((page) => addressOf(page).replace(/md$/, "html"))
      .filter((page) => !sitePages.has(page));
    expect(missing).toEqual([]);
    expect(sitePages.get("index.html")?.title).toBe("robgrad");
    expect(siteFiles).toContain("demo/index.html");
  });

  it("has links that all lead to a page and a heading", () => {
    let followed = 0;
    const dead = [...sitePages.values()].flatMap(({ path, links }) =>
      links
        .filter((link) => !isElsewhere(link) && !link.startsWith("mailto:"))
        .filter((link) => {
          followed += 1;
          const { file, anchor } = targetOf(link, path);
          const page = sitePages.get(file);
          return page ? anchor !== "" && !page.anchors.has(anchor) : !siteFiles.has(file);
        })
        .map((link) => `${path}: ${link}`),
    );
    expect([...new Set(dead)]).toEqual([]);
    expect(followed).toBeGreaterThan(sitePages.size);
  });

  it("keeps links relative, so that it may be put under any path", () => {
    const absolute = [...sitePages.values()].flatMap(({ path, links, loads }) =>
      [...links, ...loads].filter((address) => address.startsWith("/")).map((address) => `${path}: ${address}`),
    );
    expect(absolute).toEqual([]);
  });

  it("loads nothing from elsewhere, and nothing that is not there", () => {
    const wrong = [...sitePages.values()].flatMap(({ path, loads }) =>
      loads
        .filter((address) => !isData(address))
        .filter((address) => isElsewhere(address) || !siteFiles.has(targetOf(address, path).file))
        .map((address) => `${path}: ${address}`),
    );
    const fromStyles = styleSheets.flatMap((file) =>
      [...readFileSync(join(site, file), "utf8").matchAll(/(?:url\(|@import\s*)["']?([^"')]+)/g)]
        .map(([, address]) => address!)
        .filter((address) => !isData(address))
        .filter((address) => isElsewhere(address) || !siteFiles.has(posix.join(posix.dirname(file), address)))
        .map((address) => `${file}: ${address}`),
    );
    expect(styleSheets).not.toEqual([]);
    expect([...wrong, ...fromStyles]).toEqual([]);
  });
});

describe("the API", () => {
  const entries = entryPoints();
  const program = createProgram(entries.map(({ source }) => source));
  const kinds = ["classes", "enumerations", "functions", "interfaces", "type-aliases", "variables"];

  it.each(entries)("has a page for everything that $specifier exports", ({ specifier, source }) => {
    const folder = apiFolderOf(specifier);
    const index = sitePages.get(`${folder}/index.html`);
    const linked = new Set(index?.links.map((link) => targetOf(link, index.path).file));
    const names = exportedNames(source, program);
    const missing = names.filter((name) => {
      const linksToIt = [...linked].some((file) => kinds.some((kind) => file.endsWith(`/${kind}/${name}.html`)));
      return !linksToIt;
    });
    expect(names).not.toEqual([]);
    expect(missing).toEqual([]);
  });
});
