// By path: Node 20 loads no TypeScript from a package, and VitePress bundles only files that are named by path.
export { fromRoot, libraryPackages, workspaceRoot } from "../../../tooling/doc-test/source/workspace.js";
