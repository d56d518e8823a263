import { pages } from "@tooling/doc-test/pages.js";
import { fromRoot } from "@tooling/doc-test/workspace.js";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withTestedVersion } from "../source/catalog.js";
import { compiler, peersOf } from "../source/empty-project.js";
import { importedEntries, isPrinted, packageOf, promisedNumbers, readGuide } from "../source/guide.js";
import { openRegistry, type Registry } from "../source/registry.js";
import { run } from "../source/run.js";
import { packAll } from "../source/tarball.js";

const folder = mkdtempSync(join(tmpdir(), "robgrad-pages-"));
const project = join(folder, "project");

/** What `tsc --init` writes, and that programs in JavaScript are checked, too. */
const compilerOptions = {
  ...{ module: "nodenext", target: "esnext", types: [], strict: true, skipLibCheck: true, jsx: "react-jsx" },
  ...{ noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, noUncheckedSideEffectImports: true },
  ...{ verbatimModuleSyntax: true, isolatedModules: true, moduleDetection: "force" },
  ...{ allowJs: true, checkJs: true, noEmit: true },
};

const guides = pages
  .map((page) => ({ page: fromRoot(page), ...readGuide(page) }))
  .filter(({ programs }) => programs.length > 0)
  .map(({ page, installed, programs, files }) => ({
    page,
    installed,
    files,
    programs: programs.map((program) => ({
      ...program,
      folder: join(project, page.replaceAll("/", "-"), String(program.line)),
    })),
  }));

let registry: Registry;
beforeAll(async () => {
  mkdirSync(project);
  for (const { programs, files } of guides) {
    for (const program of programs) {
      mkdirSync(program.folder, { recursive: true });
      for (const { file, code } of [...files, program]) writeFileSync(join(program.folder, file), code);
    }
  }
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  await packAll(folder);
  registry = await openRegistry(folder);
  writeFileSync(join(project, ".npmrc"), registry.settings);
  const wanted = [...new Set(guides.flatMap(({ installed }) => installed))].map(withTestedVersion);
  await run("npm", ["install", "--ignore-scripts", ...wanted], project);
});
afterAll(() => {
  registry.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(guides)("$page", ({ installed, programs, files }) => {
  it("installs what its code imports, with the optional peers of what it imports", () => {
    const needed = [...programs, ...files].flatMap(({ code }) =>
      importedEntries(code).flatMap((entry) => [packageOf(entry), ...peersOf(project, entry)]),
    );
    expect(installed).toEqual(expect.arrayContaining([...new Set(needed)]));
  });

  for (const { line, folder, runner, file, code } of programs) {
    it.concurrent(`runs the program on line ${line} by ${runner} ${file}, which prints what it promises`, async () => {
      const [program, ...args] = [...runner.split(" "), file];
      const printed = await (program === "npx"
        ? run(join(project, "node_modules/.bin", args[0]!), args.slice(1), folder)
        : run(process.execPath, args, folder));
      expect(promisedNumbers(code).filter((number) => !isPrinted(number, printed))).toEqual([]);
    });
  }

  if (files.some(({ kind }) => kind === "test")) {
    it("passes its tests", () =>
      run(join(project, "node_modules/.bin/vitest"), ["run", "--root", "."], programs[0]!.folder));
  }
});

describe("all pages", () => {
  it("have programs for TypeScript as it comes", () => run(process.execPath, [compiler, "--project", "."], project));
});
