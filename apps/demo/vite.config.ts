import { defineConfig } from "vite";
import { packageVersions } from "./src/cli/versions.js";

/** For shared memory, and so threads; the page works without, too. */
const isolated = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export default defineConfig({
  // Under whatever address it is put.
  base: "./",
  define: { PACKAGE_VERSIONS: JSON.stringify(packageVersions()) },
  build: { outDir: "dist-web", target: "es2022" },
  worker: { format: "es" },
  server: { headers: isolated },
  preview: { headers: isolated },
});
