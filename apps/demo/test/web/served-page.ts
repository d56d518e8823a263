import { join, resolve } from "node:path";
import { build, defaultClientConditions, preview, type PreviewServer } from "vite";
import type { TestProject } from "vitest/node";
import { built } from "../program.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the page is served, isolated from other origins, and where without. */
    readonly pages: { readonly isolated: string; readonly bare: string };
  }
}

const root = resolve(import.meta.dirname, "../..");
const outDir = join(built, "page");

/** Builds the page from sources, so that its tests need no build before them, and serves it as `demo:web` does. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  await build({
    root,
    logLevel: "warn",
    resolve: { conditions: ["@robgrad/source", ...defaultClientConditions] },
    build: { outDir, emptyOutDir: true },
  });
  const isolated = await serve({});
  const bare = await serve({ "Cross-Origin-Opener-Policy": "", "Cross-Origin-Embedder-Policy": "" });
  provide("pages", { isolated: addressOf(isolated), bare: addressOf(bare) });
  return async () => {
    await Promise.all([isolated.close(), bare.close()]);
  };
}

const serve = (headers: Readonly<Record<string, string>>) =>
  preview({ root, logLevel: "warn", build: { outDir }, preview: { host: "127.0.0.1", port: 0, headers } });

const addressOf = (server: PreviewServer) => server.resolvedUrls!.local[0]!;
