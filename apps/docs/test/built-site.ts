import { Parser } from "htmlparser2";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const site = resolve(import.meta.dirname, "../dist");

export interface SitePage {
  /** From the root of the site: rules/krum.html. */
  readonly path: string;
  readonly title: string;
  readonly anchors: ReadonlySet<string>;
  /** As written: relative to the page. */
  readonly links: readonly string[];
  /** What the browser fetches without being asked. */
  readonly loads: readonly string[];
}

function readPage(path: string): SitePage {
  const anchors = new Set<string>();
  const links: string[] = [];
  const loads: string[] = [];
  let title = "";
  let isInTitle = false;
  const parser = new Parser({
    onopentag(name, { id, href, src, srcset, poster, data }) {
      if (id !== undefined) anchors.add(id);
      if (name === "a" && href !== undefined) links.push(href);
      if (name === "link" && href !== undefined) loads.push(href);
      loads.push(...[src, srcset, poster, data].filter((address) => address !== undefined));
      isInTitle = name === "title";
    },
    ontext(text) {
      if (isInTitle) title += text;
    },
    onclosetag() {
      isInTitle = false;
    },
  });
  parser.end(readFileSync(join(site, path), "utf8"));
  return { path, title, anchors, links, loads };
}

const files = existsSync(site) ? readdirSync(site, { recursive: true, encoding: "utf8" }) : [];

/** Files of the site but those of the study's page, which has tests of its own. */
export const siteFiles: ReadonlySet<string> = new Set(files.map((file) => file.replaceAll("\\", "/")));
const isOwn = (file: string): boolean => !file.startsWith("demo/");

export const sitePages: ReadonlyMap<string, SitePage> = new Map(
  [...siteFiles]
    .filter((file) => file.endsWith(".html") && isOwn(file) && file !== "404.html")
    .map((file) => [file, readPage(file)]),
);

export const styleSheets: readonly string[] = [...siteFiles].filter((file) => file.endsWith(".css") && isOwn(file));
