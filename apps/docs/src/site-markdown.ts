import type { MarkdownEnv, MarkdownRenderer } from "vitepress";
import { addressOf, linkTarget, pages } from "./pages.js";

/** Makes links between the pages of the repository links between those of the site, and puts the study's page where it is asked for. */
export function siteMarkdown(md: MarkdownRenderer): void {
  const pageAt = new Map([...pages].map((page) => [addressOf(page), page]));
  md.core.ruler.after("inline", "site-links", ({ tokens, env }) => {
    const page = pageAt.get((env as MarkdownEnv).relativePath);
    if (page === undefined) return;
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const link = token.type === "link_open" ? token.attrGet("href") : null;
      if (link !== null) token.attrSet("href", linkTarget(link, page));
    }
  });
  md.core.ruler.after("block", "study-page", ({ tokens }) => {
    for (const token of tokens) {
      if (token.type === "html_block" && token.content.trim() === "<!-- study page -->")
        token.content = "<StudyFrame />\n";
    }
  });
}
