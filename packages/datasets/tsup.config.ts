import { library } from "@tooling/tsup";

// One output a source: a bundler can then leave out the CSV parser and the eigensolver of a program that uses neither.
export default library({
  entry: ["src/*.ts"],
  dts: { entry: ["index", "wine", "breast-cancer", "digits"].map((name) => `src/${name}.ts`) },
});
