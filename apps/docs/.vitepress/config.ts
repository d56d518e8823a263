import { slug } from "github-slugger";
import { join } from "node:path";
import { defineConfig, type DefaultTheme } from "vitepress";
import { apiFolderOf, entryPoints } from "../src/entry-points.js";
import { gatherPages } from "../src/gather-pages.js";
import { addressOf, sections, titleOf } from "../src/pages.js";
import { siteMarkdown } from "../src/site-markdown.js";
import { embedStudyPage, studyPage } from "../src/study-page.js";

const sidebar = (): DefaultTheme.SidebarItem[] => [
  ...sections.map(({ title, pages, collapsed }) => ({
    text: title,
    ...(collapsed === undefined ? {} : { collapsed }),
    items: pages.map((entry) => {
      const { page, title } = typeof entry === "string" ? { page: entry, title: titleOf(entry) } : entry;
      const [file, anchor] = page.split("#") as [string, string?];
      return { text: title, link: `/${addressOf(file)}${anchor === undefined ? "" : `#${anchor}`}` };
    }),
  })),
  {
    text: "API",
    items: entryPoints().map(({ specifier }) => ({
      text: specifier,
      link: `/${apiFolderOf(specifier)}/index.md`,
    })),
  },
];

const srcDir = join(import.meta.dirname, "../.temporary/pages");

export default async () => {
  const page = studyPage();
  await gatherPages(srcDir);
  return defineConfig({
    title: "robgrad",
    description: "Train neural networks on data that cannot be trusted.",
    lang: "en",
    // The site may be put under any path.
    base: "./",
    head: [["link", { rel: "icon", href: "data:," }]],
    srcDir,
    outDir: "dist",
    cacheDir: ".temporary/cache",
    markdown: { anchor: { slugify: slug }, config: siteMarkdown },
    themeConfig: {
      sidebar: sidebar(),
      nav: [{ text: "API", link: "/api/index.md" }],
      outline: [2, 3],
      search: { provider: "local" },
      externalLinkIcon: true,
    },
    vite: {
      // The index of the search, which is loaded on the first search.
      build: { chunkSizeWarningLimit: 2000 },
    },
    transformPageData({ relativePath, frontmatter }) {
      if (relativePath.startsWith("api/")) frontmatter["pageClass"] = "api";
      if (/^api\/.*index\.md$/.test(relativePath)) frontmatter["outline"] = 2;
      // Room for the study.
      if (relativePath === addressOf("docs/see-it.md")) frontmatter["aside"] = false;
    },
    buildEnd: ({ outDir }) => embedStudyPage(page, outDir),
  });
};
