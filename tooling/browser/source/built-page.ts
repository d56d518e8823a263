import { createServer, type OutgoingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build, type Rollup } from "vite";

const types: Readonly<Record<string, string>> = { html: "text/html", js: "text/javascript" };

/** Files of the page, bundled by Vite as its users do: from what the packages publish. */
export async function buildPage(): Promise<ReadonlyMap<string, string | Uint8Array>> {
  const built = (await build({
    root: fileURLToPath(new URL("../page", import.meta.url)),
    configFile: false,
    logLevel: "warn",
    build: { write: false },
  })) as Rollup.RollupOutput;
  return new Map(built.output.map((file) => [`/${file.fileName}`, file.type === "chunk" ? file.code : file.source]));
}

/** Serves files with the same headers for all of them. */
export async function serve(
  files: ReadonlyMap<string, string | Uint8Array>,
  headers: OutgoingHttpHeaders,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const path = request.url === "/" ? "/index.html" : (request.url as string);
    const file = files.get(path);
    const type = types[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream";
    response.writeHead(file === undefined ? 404 : 200, { "Content-Type": type, ...headers });
    response.end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
