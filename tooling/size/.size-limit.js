// What a bundler makes of an import, minified and compressed; other @robgrad packages are counted on their own.
const robgrad = ["tensor", "autograd", "nn", "aggregators", "datasets"];
const ignoring = (name) => robgrad.filter((other) => other !== name).map((other) => `@robgrad/${other}`);

export default [
  ...robgrad.map((name) => ({
    name: `@robgrad/${name}`,
    path: `../../packages/${name}/dist/index.js`,
    ignore: ignoring(name),
  })),
  {
    name: "a sequential classifier with a robust rule",
    path: "classifier.js",
  },
];
