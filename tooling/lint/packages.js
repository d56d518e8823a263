// @ts-check
// The dependency direction: which package may import which, and which files may import Node.

const everything = ["aggregators", "autograd", "datasets", "nn", "tensor"];

/** Folder of a workspace package → the @robgrad packages it may import. @type {Record<string, readonly string[]>} */
export const mayImport = {
  "packages/tensor": [],
  "packages/autograd": ["tensor"],
  "packages/nn": ["autograd", "tensor"],
  "packages/aggregators": ["tensor"],
  "packages/datasets": ["tensor"],
  "apps/demo": everything,
  integration: everything,
  bench: everything,
};

/** Programs that nobody installs: what they import may be any kind of dependency. */
export const programs = ["apps/demo", "bench"];

/** Sources that run in Node only; all others must also run in a browser. */
export const nodeOnly = [/^apps\/demo\/src\/cli\//, /^bench\//];

/** Folders inside a package that may not import one another: from → to. */
export const separateFolders = [{ from: /^apps\/demo\/src\/study\//, to: /^apps\/demo\/src\/(cli|web)\// }];
