import { createRequire } from "node:module";

/** Versions of the packages that numbers come from, and of Node. */
export function versions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const packages = ["aggregators", "autograd", "datasets", "nn", "tensor"].map((name) => `@robgrad/${name}`);
  return {
    ...Object.fromEntries(
      packages.map((name) => [name, (require(`${name}/package.json`) as { version: string }).version]),
    ),
    node: process.versions.node,
  };
}
