import { createRequire } from "node:module";

/** Versions of the packages that numbers come from. */
export function packageVersions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const packages = ["aggregators", "autograd", "datasets", "nn", "tensor"].map((name) => `@robgrad/${name}`);
  return Object.fromEntries(
    packages.map((name) => [name, (require(`${name}/package.json`) as { version: string }).version]),
  );
}

/** The same and that of Node. */
export const versions = (): Record<string, string> => ({ ...packageVersions(), node: process.versions.node });
