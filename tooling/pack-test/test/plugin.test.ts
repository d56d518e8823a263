import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testedVersion, withTestedVersion } from "../source/catalog.js";
import { createProject } from "../source/empty-project.js";
import { isPrinted, promisedNumbers } from "../source/guide.js";
import { instructionsOf } from "../source/page-commands.js";
import { openRegistry, type Registry } from "../source/registry.js";
import { run } from "../source/run.js";
import { packAll, tarballOf, withRobgradDependencies, workspaceRoot } from "../source/tarball.js";

const folder = mkdtempSync(join(tmpdir(), "robgrad-plugin-"));
const packages = withRobgradDependencies("@robgrad/aggregators");

const example = "robgrad-winsorized-mean";
const exampleTarball = join(folder, `${example}-1.0.0.tgz`);

let registry: Registry;
beforeAll(async () => {
  await packAll(folder);
  registry = await openRegistry(folder);
}, 180_000);
afterAll(() => {
  registry.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Numbers of passed and failed tests in a folder; rejects with what vitest printed when one fails. */
async function testsIn(project: string): Promise<readonly [passed: number, failed: number]> {
  const report = join(project, "report.json");
  await run("npx", ["vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`], project);
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8")) as Record<string, number>;
  return [numPassedTests!, numFailedTests!];
}

/** What the study prints when it runs a rule from a folder; expects its results. */
async function studyOf(specifier: string, project: string): Promise<void> {
  const out = join(folder, `study-${specifier.replace(/\W/g, "-")}`);
  const demo = join(workspaceRoot, "apps/demo/dist/cli.js");
  const size = ["--trials", "1", "--iterations", "20", "--variant", "vanilla"];
  const printed = await run(process.execPath, [demo, ...size, "--aggregator", specifier, "--out", out], project);
  expect(printed).toContain(`${specifier} (all layers)`);
  const study = JSON.parse(readFileSync(join(out, "study.json"), "utf8")) as { variants: readonly { name: string }[] };
  expect(study.variants.map(({ name }) => name)).toEqual(["vanilla", "own"]);
}

describe("docs/write-an-aggregator.md", () => {
  const page = join(workspaceRoot, "docs/write-an-aggregator.md");

  it("leads from an empty folder to a tested rule that the study runs", async () => {
    let here = join(folder, "newcomer");
    mkdirSync(here);
    let [tested, compared] = [0, 0];
    const written = new Map<string, string>();
    for (const instruction of instructionsOf(page)) {
      if (instruction.kind === "file") {
        written.set(instruction.name, instruction.text);
        writeFileSync(join(here, instruction.name), instruction.text);
        continue;
      }
      const { line } = instruction;
      const command = line.startsWith("npm install") ? line.split(" ").map(withTestedVersion).join(" ") : line;
      const printed = await run("sh", ["-c", `${command} && pwd`], here);
      here = printed.trim().split("\n").at(-1)!;
      writeFileSync(join(here, ".npmrc"), registry.settings);
      if (line.includes("vitest run"))
        tested += Number(/Tests +(?:\d+ failed \| )?(\d+) passed/.exec(stripVTControlCharacters(printed))?.[1]);
      const promised = promisedNumbers(written.get(line.replace("node ", "")) ?? "");
      expect(promised.filter((number) => !isPrinted(number, printed))).toEqual([]);
      compared += promised.length;
    }
    expect(compared).toBe(4);
    expect(tested).toBeGreaterThan(15);
    await studyOf("./midmean.js:fraction=0.2", here);

    const test = written.get("midmean.test.ts")!;
    const [, claim, answer] = /`(breakdownPoint: [\d.]+)`, "([^"]+)"/.exec(readFileSync(page, "utf8"))!;
    writeFileSync(join(here, "midmean.test.ts"), test.replace(/breakdownPoint: [\d.]+/, claim!));
    await expect(run("npx", ["vitest", "run"], here)).rejects.toThrow(answer);
  });
});

describe("examples/aggregator-plugin", () => {
  const plugin = join(folder, "aggregator-plugin");
  const project = join(folder, "project");

  beforeAll(async () => {
    // Its own files and nothing that lies beside them.
    for (const part of ["package.json", "tsconfig.json", "src", "test", "README.md"])
      cpSync(join(workspaceRoot, "examples/aggregator-plugin", part), join(plugin, part), { recursive: true });
    const file = join(plugin, "package.json");
    const manifest = JSON.parse(readFileSync(file, "utf8")) as { devDependencies: Record<string, string> };
    for (const name of ["vitest", "typescript"]) manifest.devDependencies[name] = testedVersion(name)!;
    writeFileSync(file, JSON.stringify(manifest));
    writeFileSync(join(plugin, ".npmrc"), registry.settings);
    await run("npm", ["install"], plugin);
    await run("npm", ["pack", "--pack-destination", folder], plugin);
    await createProject(
      project,
      new Map([...packages.map((name) => [name, tarballOf(name, folder)] as const), [example, exampleTarball]]),
    );
  }, 180_000);

  it("passes its own tests, with robgrad from tarballs", async () => {
    await run("npx", ["tsc", "--noEmit"], plugin);
    const [passed, failed] = await testsIn(plugin);
    expect(failed).toBe(0);
    expect(passed).toBeGreaterThan(15);
  });

  it("runs the program of its README once it is installed", async () => {
    const code = /^```js\n([\s\S]*?)^```$/m.exec(readFileSync(join(plugin, "README.md"), "utf8"))![1]!;
    expect(promisedNumbers(code)).not.toEqual([]);
    const printed = await printedBy("readme.js", code);
    expect(promisedNumbers(code).filter((number) => !isPrinted(number, printed))).toEqual([]);
  });

  it("runs in the study once it is installed", () => studyOf(`${example}:fraction=0.2`, project));

  /** A program of the project, of which the plugin may have copies of robgrad of its own. */
  const program = (rule: string) => `
    import { aggregate } from "@robgrad/aggregators";
    import { denseSamples, openDevice } from "@robgrad/tensor";
    ${rule}
    const device = await openDevice("cpu");
    const rows = device.tensor([[1], [2], [3], [4], [5], [6], [7], [8], [9], [1000]]);
    const answers = aggregate(new Map([["w", denseSamples(rows)]]), rule);
    console.log(JSON.stringify(await answers.get("w").toArray()));
  `;
  const printedBy = async (name: string, text: string) => {
    writeFileSync(join(project, name), text);
    return (await run(process.execPath, [name], project)).trim();
  };
  const usesPlugin = `import { winsorizedMean } from "${example}"; const rule = winsorizedMean({ fraction: 0.1 });`;

  it("works beside a program that has one copy of robgrad", async () => {
    expect(await printedBy("one.js", program(usesPlugin))).toBe("[5.5]");
  });

  it("works with copies of robgrad of its own: rules and tensors know each other by brands", async () => {
    const own = join(project, "node_modules", example, "node_modules/@robgrad");
    cpSync(join(project, "node_modules/@robgrad"), own, { recursive: true });
    try {
      expect(existsSync(join(own, "tensor/package.json"))).toBe(true);
      expect(await printedBy("two.js", program(usesPlugin))).toBe("[5.5]");
      // Functions of the second copy take tensors of the first, and tensors of its devices are refused by name.
      const copies = `
        import { defineAggregator } from "./node_modules/${example}/node_modules/@robgrad/aggregators/dist/index.js";
        import { argmin, oneHot, openDevice as openOther, sort, where } from "./node_modules/${example}/node_modules/@robgrad/tensor/dist/index.js";`;
      const krum = `${copies}
        const rule = defineAggregator("krum", (g) => {
          const nearest = sort(g.squaredDistances(), { axis: 1 }).slice([0, g.samples], [1, g.samples - 2]);
          const chosen = g.combine(oneHot(argmin(nearest.sum({ axis: 1 })), g.samples));
          return where(chosen.isFinite(), chosen, 0);
        });`;
      // Seven neighbours of 4, and of 5, are at 1, 1, 2, 2, 3, 3 and 4: the first of the two.
      expect(await printedBy("functions.js", program(krum))).toBe("[4]");
      const elsewhere = `${copies}
        const other = await openOther("cpu");
        const rule = defineAggregator("elsewhere", (g) => g.mean().add(other.ones([1])));`;
      await expect(printedBy("elsewhere.js", program(elsewhere))).rejects.toThrow(
        /BAD_PLUGIN|rule elsewhere: .*device/,
      );
    } finally {
      rmSync(own, { recursive: true });
    }
  });

  it("is named by errors when it is wrong", async () => {
    const wrong = {
      "rule shy: expected a tensor [1], found that it throws: no": `defineAggregator("shy", () => { throw new Error("no"); })`,
      "rule wide: expected it to return a tensor float32 [1], found float32 [10, 1]": `defineAggregator("wide", (g) => g.rows())`,
      "rule late: expected it to return a tensor float32 [1], found a Promise": `defineAggregator("late", async (g) => g.mean())`,
      "found a bare function bare; wrap it": `function bare(g) { return g.mean(); }`,
    };
    for (const [message, code] of Object.entries(wrong)) {
      const rule = `import { defineAggregator } from "@robgrad/aggregators"; const rule = ${code};`;
      await expect(printedBy("wrong.js", program(rule))).rejects.toThrow(message);
    }
  });
});
