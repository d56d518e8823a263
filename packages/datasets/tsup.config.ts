import { library } from "@tooling/tsup";

const entries = ["index", "wine", "breast-cancer", "digits"];
const sources = (names: readonly string[]) => names.map((name) => `src/${name}.ts`);

// With outputs of their own, the CSV parser and the eigensolver stay out of programs that use neither.
export default library({
  entry: sources([...entries, "csv", "principal-components"]),
  dts: { entry: sources(entries) },
});
