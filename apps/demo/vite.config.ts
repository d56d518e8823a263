import { defineConfig } from "vite";

/** For shared memory, and so threads; the page works without, too. */
const isolated = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export default defineConfig({
  // Under whatever address it is put.
  base: "./",
  build: { outDir: "dist-web", target: "es2022" },
  worker: { format: "es" },
  server: { headers: isolated },
  preview: { headers: isolated },
});
