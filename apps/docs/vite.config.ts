import { defineConfig } from "vite";

/** How `vite preview` serves the built site: isolated, so that the study may use threads. */
export default defineConfig({
  appType: "mpa",
  build: { outDir: "dist" },
  preview: {
    headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
  },
});
