import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { workspaceRoot } from "./workspace.js";

/** A program over the files, with the workspace's compiler options. */
export function createProgram(files: readonly string[]): ts.Program {
  const config = join(workspaceRoot, "tsconfig.json");
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(config, ts.sys.readFile).config,
    ts.sys,
    workspaceRoot,
  );
  return ts.createProgram(files, { ...options, verbatimModuleSyntax: false, isolatedModules: false, noEmit: true });
}

/** Writes the programs (path → text), checks them together, and returns the errors of each. */
export function writeAndCheck(programs: ReadonlyMap<string, string>): (file: string) => string[] {
  for (const [file, text] of programs) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const program = createProgram([...programs.keys()]);
  return (file) => {
    const source = program.getSourceFile(file)!;
    return ts.getPreEmitDiagnostics(program, source).map((diagnostic) => {
      const { line } = source.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
      const code = source.text.split("\n")[line]!.trim();
      return `${ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n")}\n    ${code}`;
    });
  };
}
