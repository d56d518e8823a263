import { renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDevice } from "@robgrad/tensor";
import { loadRule } from "../src/cli/rules.js";
import { builtIn, builtInRules } from "../src/study/built-in-rules.js";
import type { StudySettings } from "../src/study/settings.js";
import { Trials } from "../src/study/trials.js";
import { variantsOf } from "../src/study/variants.js";
import { demo, numbers, readStudy, temporaryFolder } from "./run-demo.js";
import { strangersFolder } from "./strangers-folder.js";

/** Rules that look at all subsets without f of 100 samples. */
const subsets = new Set(["minimum-diameter-averaging", "smea"]);

const tiny = ["--trials", "2", "--iterations", "20", "--variant", "vanilla", "--out", "out"];

/** Where a recorded step and one that is not give the same bits. */
const exact = ["--device", "cpu"];

const trimmed = `
import { defineAggregator } from "@robgrad/aggregators";
const trimmedMean = ({ fraction = 0.1 } = {}) =>
  defineAggregator("trimmed", (g) => {
    const cut = Math.floor(fraction * g.samples);
    return g.columns((c) => c.sorted().slice(cut, g.samples - cut).mean());
  });
export default trimmedMean;
export const plain = defineAggregator("plain", (g) => g.mean());
`;

describe("--aggregator", () => {
  it("runs a file outside the workspace beside the built-in variants, equal to the built-in rule", async () => {
    const folder = strangersFolder({ "my-rule.mjs": trimmed });
    const { status, stdout, stderr } = await demo(folder, [
      "--aggregator",
      "./my-rule.mjs:fraction=0.05",
      ...exact,
      ...tiny,
    ]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/\.\/my-rule\.mjs:fraction=0\.05 \(all layers\) +0\.\d{3}/);
    await demo(folder, [...exact, ...tiny.slice(0, -1), "built-in", "--aggregator", "trimmed-mean:fraction=0.05"]);
    const [own, builtIn] = ["out", "built-in"].map((name) => readStudy(join(folder, name)));
    expect(numbers(own!.trials)).toEqual(numbers(builtIn!.trials));
    expect(own!.variants.map(({ name }) => name)).toEqual(["vanilla", "own"]);
  });

  it("takes a named export, and a rule that is not a factory: the mean is vanilla again", async () => {
    const folder = strangersFolder({ "rules/my-rule.mjs": trimmed });
    const { status } = await demo(folder, [
      "--aggregator",
      "./rules/my-rule.mjs#plain",
      "--layers",
      "1",
      ...exact,
      ...tiny,
    ]);
    expect(status).toBe(0);
    for (const { variants } of readStudy(join(folder, "out")).trials)
      expect(variants.own!.testLoss).toEqual(variants.vanilla!.testLoss);
  });

  it("takes a package installed where the command runs", async () => {
    const folder = strangersFolder({
      "node_modules/@somebody/rules/package.json": JSON.stringify({
        name: "@somebody/rules",
        type: "module",
        exports: { import: "./index.js" },
      }),
      "node_modules/@somebody/rules/index.js": trimmed,
    });
    const { status, stdout } = await demo(folder, [
      "--aggregator",
      "@somebody/rules:fraction=0.2",
      "--layers",
      "1,2",
      ...tiny,
    ]);
    expect(status).toBe(0);
    expect(stdout).toContain("@somebody/rules:fraction=0.2 (layer 1 and 2)");
  });

  it("acts on --layers only, as a variant that is built in does", async () => {
    const folder = temporaryFolder();
    const rule = "soft-truncation:delta=0.005,correction=0,varianceFloor=0.001";
    const { status } = await demo(folder, [
      ...["--aggregator", rule, "--layers", "1", "--group", "parameter"],
      ...["--trials", "1", "--iterations", "30", "--variant", "soft-truncation-equal-scale", "--out", "out"],
    ]);
    expect(status).toBe(0);
    const [{ variants }] = readStudy(join(folder, "out")).trials as [ReturnType<typeof readStudy>["trials"][number]];
    expect(variants.own!.trainLoss).toEqual(variants["soft-truncation-equal-scale"]!.trainLoss);
  });

  it("asks a rule that counts its calls at every step", async () => {
    const folder = strangersFolder({
      "every-other.mjs": `
        import { defineAggregator } from "@robgrad/aggregators";
        let calls = 0;
        export default () => ((calls = 0), defineAggregator("every-other", (g) => g.mean().mul(++calls % 4 === 3 ? 0 : 1)));`,
    });
    const run = ["--trials", "1", "--iterations", "3", "--variant", "vanilla", "--group", "all", "--out", "out"];
    expect((await demo(folder, ["--aggregator", "./every-other.mjs", ...exact, ...run])).status).toBe(0);
    const [trial] = readStudy(join(folder, "out")).trials;
    const { own, vanilla } = trial!.variants;
    expect(own!.trainLoss.slice(0, 3)).toEqual(vanilla!.trainLoss.slice(0, 3));
    expect(own!.trainLoss[3]).toBe(own!.trainLoss[2]);
  });

  it.each(builtInRules)("offers %s by name", async (name) => {
    const device = await openDevice("cpu");
    const settings: StudySettings = {
      trials: 1,
      iterations: 4,
      seed: 0,
      variants: [],
      rule: {
        specifier: subsets.has(name) ? `${name}:byzantine=0` : name,
        layers: subsets.has(name) ? [3] : [1, 2, 3],
        group: "layer",
      },
      fraction: 0.02,
      factor: 1e4,
      protocol: "code",
      device: "cpu",
      dtype: "float32",
    };
    const trials = new Trials(device, settings, variantsOf(settings, await loadRule(name, ".")));
    const { variants } = await trials.run(0);
    expect(variants.own!.trainLoss).toHaveLength(5);
    trials.dispose();
    // What a rule remembers ends with the rule.
    if (!builtIn.get(name)!.remembers) expect(device.memory().live).toBe(0);
    device.dispose();
  });

  it("is found again by --resume from another folder, with its results or without", async () => {
    const code = `import { defineAggregator } from "@robgrad/aggregators";
      export default defineAggregator("half", (g) => g.mean().mul(0.5));`;
    const folder = strangersFolder({ "rules/half.mjs": code });
    const run = ["--iterations", "5", "--variant", "vanilla"];
    const rules = join(folder, "rules");
    const given = ["--aggregator", "./half.mjs", ...run];
    expect((await demo(rules, [...given, "--trials", "1", "--out", "../out"])).status).toBe(0);
    expect((await demo(rules, [...given, "--trials", "2", "--out", "whole"])).status).toBe(0);
    for (const [from, out] of [
      [folder, "out"],
      [temporaryFolder(), join(folder, "out")],
    ] as const) {
      const { status, stderr } = await demo(from, ["--resume", out, "--trials", "2"]);
      expect([status, stderr]).toEqual([0, ""]);
    }
    const [resumed, whole] = [readStudy(join(folder, "out")), readStudy(join(rules, "whole"))];
    expect([resumed.settings.rule?.seenFrom, whole.settings.rule?.seenFrom]).toEqual(["../rules", ".."]);
    expect(numbers(resumed.trials)).toEqual(numbers(whole.trials));
    renameSync(rules, join(folder, "elsewhere"));
    const { status, stderr } = await demo(folder, ["--resume", "out", "--trials", "3"]);
    expect(stderr).toMatch(/^error BAD_ARGUMENT: .*expected a file, found none at .*half\.mjs\n$/);
    expect(status).toBe(2);
  });

  it("starts the memory of a rule anew in every trial", async () => {
    const folder = strangersFolder({
      "smooth.mjs": `
        import { defineAggregator } from "@robgrad/aggregators";
        export default defineAggregator("smooth", (g, memory) => {
          const mean = g.mean();
          const cell = memory.cell("mean", () => mean.mul(0));
          cell.assign(cell.value.mul(0.5).add(mean.mul(0.5)));
          return cell.value;
        });`,
    });
    for (const threads of ["1", "2"]) {
      const run = ["--trials", "3", "--iterations", "20", "--variant", "vanilla", "--out", threads];
      expect((await demo(folder, ["--aggregator", "./smooth.mjs", "--threads", threads, ...run])).status).toBe(0);
    }
    expect(numbers(readStudy(join(folder, "1")).trials)).toEqual(numbers(readStudy(join(folder, "2")).trials));
  });

  it.each([
    ["returns the wrong shape", `export default defineAggregator("odd", (g) => g.rows());`, /odd.*\[100, \d+\]/],
    ["throws", `export default defineAggregator("odd", () => { throw new Error("no idea"); });`, /odd.*no idea/],
    [
      "is a bare function",
      `export default (g) => g.mean();`,
      /expected a rule made by defineAggregator, .*throws: g\.mean is not a function/,
    ],
    [
      "makes no rule",
      `export default () => (g) => g.mean();`,
      /expected a rule made by defineAggregator, .*returns function/,
    ],
    ["is no function", `export default 42;`, /expected a rule made by defineAggregator.*number/],
    ["has a factory that throws", `export default () => { throw new Error("no options"); };`, /no options/],
    [
      "has no default export",
      `export const rule = defineAggregator("odd", (g) => g.mean());`,
      /default export, found rule/,
    ],
    ["does not load", `import "absent-package";`, /absent-package/],
    ["is not JavaScript", `export default =>`, /./],
    [
      "throws later on",
      `let calls = 0; export default defineAggregator("odd", (g) => { if (++calls > 40) throw new Error("tired"); return g.mean(); });`,
      /odd.*tired/,
    ],
  ])("names a plugin that %s", async (_fault, code, message) => {
    const folder = strangersFolder({
      "odd-rule.mjs": `import { defineAggregator } from "@robgrad/aggregators";\n${code}\n`,
    });
    const { status, stderr } = await demo(folder, ["--aggregator", "./odd-rule.mjs", ...tiny]);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/^error BAD_PLUGIN: .*\.\/odd-rule\.mjs/);
    expect(stderr).toMatch(message);
    expect(status).toBe(1);
  });

  it("tells of a rule that ends its worker", async () => {
    const code = `
      import { isMainThread } from "node:worker_threads";
      import { defineAggregator } from "@robgrad/aggregators";
      export default defineAggregator("odd", (g) => (isMainThread || process.exit(3), g.mean()));`;
    const folder = strangersFolder({ "odd-rule.mjs": code });
    const { status, stderr } = await demo(folder, ["--aggregator", "./odd-rule.mjs", ...tiny]);
    expect(stderr).toMatch(/^error WORKER_LOST: trial \d: .+\n$/);
    expect(status).toBe(1);
  });
});
