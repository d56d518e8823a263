import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { run } from "./run.js";
import { publishedPackages, tarballOf, type Manifest } from "./tarball.js";

/** A registry of the packed tarballs: `npm install @robgrad/…` finds them there, and all else where it always does. */
export interface Registry {
  /** What the `.npmrc` of a project says to ask it. */
  readonly settings: string;
  close(): void;
}

/** Serves the tarballs that `packAll` wrote to a folder. */
export async function openRegistry(folder: string): Promise<Registry> {
  const pages = new Map<string, string | Buffer>();
  const server = createServer((request, response) => {
    const page = pages.get(decodeURIComponent(request.url ?? ""));
    response.statusCode = page ? 200 : 404;
    response.setHeader("cache-control", "no-store");
    response.end(page);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  for (const name of publishedPackages.keys()) {
    const file = tarballOf(name, folder);
    const bytes = readFileSync(file);
    const manifest = JSON.parse(await run("tar", ["-xzOf", file, "package/package.json"], folder)) as Manifest;
    const { version } = manifest;
    const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
    const tarball = `/${name}/${version}.tgz`;
    const dist = { tarball: address + tarball, integrity };
    const document = { name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } } };
    pages.set(`/${name}`, JSON.stringify(document));
    pages.set(tarball, bytes);
  }
  return {
    settings: [`@robgrad:registry=${address}/`, "prefer-offline=true", "audit=false", "fund=false", ""].join("\n"),
    close: () => void server.close(),
  };
}
