import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProject } from "../source/empty-project.js";
import { run } from "../source/run.js";
import { packAll, tarballOf, withRobgradDependencies, workspaceRoot } from "../source/tarball.js";

const folder = mkdtempSync(join(tmpdir(), "robgrad-plugin-"));
const project = join(folder, "project");
const { version: vitestVersion } = createRequire(import.meta.url)("vitest/package.json") as { version: string };

const rule = `
import { defineAggregator } from "@robgrad/aggregators";
/** Coordinate-wise trimmed mean. Yin et al. (2018), Definition 2. */
export default ({ fraction = 0.1 } = {}) =>
  defineAggregator("my-trimmed-mean", (g) => {
    const cut = Math.floor(fraction * g.samples);
    return g.columns((c) => c.sorted().slice(cut, g.samples - cut).mean());
  });
`;
const suite = `
import { aggregatorSuite } from "@robgrad/aggregators/testing";
import trimmedMean from "./my-rule.js";
aggregatorSuite(() => trimmedMean({ fraction: 0.2 }), {
  permutationInvariant: true, translationEquivariant: true, scaleEquivariant: true, coordinatewise: true, breakdownPoint: 0.2,
});
`;

/** A stranger's package: a rule that names what it needs as peers. */
const manifest = {
  name: "@somebody/my-rule",
  version: "1.0.0",
  type: "module",
  exports: "./my-rule.js",
  files: ["my-rule.js"],
  peerDependencies: { "@robgrad/aggregators": "*", "@robgrad/tensor": "*" },
};

beforeAll(async () => {
  await packAll(folder);
  const plugin = join(folder, "plugin");
  mkdirSync(plugin);
  writeFileSync(join(plugin, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(plugin, "my-rule.js"), rule);
  await run("npm", ["pack", "--pack-destination", folder], plugin);
  const packages = withRobgradDependencies("@robgrad/aggregators").map(
    (name) => [name, tarballOf(name, folder)] as const,
  );
  await createProject(project, new Map([...packages, [manifest.name, join(folder, "somebody-my-rule-1.0.0.tgz")]]));
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", `vitest@${vitestVersion}`], project);
  writeFileSync(join(project, "my-rule.js"), rule);
  writeFileSync(join(project, "my-rule.test.js"), suite);
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a rule in a folder of its own, with robgrad from tarballs", () => {
  it("passes the conformance suite", async () => {
    const report = join(folder, "suite.json");
    await run("npx", ["vitest", "run", "--reporter=json", `--outputFile=${report}`], project);
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8")) as Record<string, number>;
    expect(numFailedTests).toBe(0);
    expect(numPassedTests).toBeGreaterThan(10);
  });

  it.each(["./my-rule.js", manifest.name])("runs in the study as %s", async (specifier) => {
    const out = join(folder, specifier.replace(/\W/g, "-"));
    const demo = join(workspaceRoot, "apps/demo/dist/cli.js");
    const size = ["--trials", "1", "--iterations", "20", "--variant", "vanilla"];
    const printed = await run(
      process.execPath,
      [demo, ...size, "--aggregator", `${specifier}:fraction=0.2`, "--out", out],
      project,
    );
    expect(printed).toContain(`${specifier}:fraction=0.2 (all layers)`);
    const study = JSON.parse(readFileSync(join(out, "study.json"), "utf8")) as {
      variants: readonly { name: string }[];
    };
    expect(study.variants.map(({ name }) => name)).toEqual(["vanilla", "own"]);
  });
});
