import Papa from "papaparse";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demo, numbers, readStudy, temporaryFolder, trialsKept, type Run } from "./run-demo.js";
import { strangersFolder } from "./strangers-folder.js";

const tiny = ["--iterations", "20", "--out", "out"];
const two = ["--variant", "vanilla,median-of-means-jointly"];
const names = [
  "vanilla",
  "published",
  "step-matched-control",
  "soft-truncation-equal-scale",
  "median-of-means-by-layer",
  "median-of-means-jointly",
];

describe("the study's command", () => {
  let folder: string;
  let run: Run;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "robgrad-demo-"));
    run = await demo(folder, ["--trials", "2", "--seed", "7", ...tiny]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("prints a table", () => {
    expect([run.status, run.stderr]).toEqual([0, ""]);
    const lines = run.stdout.split("\n").map((line) => line.trim());
    expect(lines[0]).toMatch(
      /^iris · 100 train, 50 test · 2 points displaced by 1e4 σ · 2 paired trials × 20 steps · \w+ · seed 7$/,
    );
    expect(lines[2]).toMatch(/^train error +test error +failed +µs \/ step$/);
    expect(lines[3]).toMatch(/^vanilla +0\.\d{3} ± 0\.\d{3} +0\.\d{3} ± 0\.\d{3} +\d+ % +\d+$/);
    expect(lines).toHaveLength(3 + 6 + 3);
    expect(lines[10]).toBe(
      "out/report.html · figure-3.svg · figure-3.png · figure-4.svg · figure-4.png · curves.csv · study.json",
    );
  });

  it("writes its folder and nothing else", () => {
    expect(readdirSync(folder)).toEqual(["out"]);
    expect(readdirSync(join(folder, "out")).sort()).toEqual([
      "curves.csv",
      "figure-3.png",
      "figure-3.svg",
      "figure-4.png",
      "figure-4.svg",
      "report.html",
      "study.json",
    ]);
  });

  it("keeps in study.json all that table and figures are drawn from", () => {
    const study = readStudy(join(folder, "out"));
    expect(study.settings).toEqual({
      trials: 2,
      iterations: 20,
      seed: 7,
      variants: names,
      rule: null,
      fraction: 0.02,
      factor: 10000,
      protocol: "code",
      device: expect.any(String) as string,
      dtype: "float32",
    });
    expect(study.variants.map(({ name }) => name)).toEqual(names);
    expect(study.iterations).toEqual([0, 1, 2, 3, 5, 10, 20]);
    expect(study.trials.map(({ trial, displaced }) => [trial, displaced.length])).toEqual([
      [0, 2],
      [1, 2],
    ]);
    expect(study.versions).toMatchObject({
      "@robgrad/tensor": expect.any(String) as string,
      node: process.versions.node,
    });
    for (const { variants } of study.trials) {
      expect(Object.keys(variants)).toEqual(names);
      for (const { trainLoss, trainError, testLoss, testError, microsecondsPerStep } of Object.values(variants)) {
        for (const curve of [trainLoss, trainError, testLoss, testError]) expect(curve).toHaveLength(7);
        expect(testError.map((error) => Math.round(error * 50) / 50)).toEqual(testError);
        expect(microsecondsPerStep).toBeGreaterThan(0);
      }
      // Paired: all variants start from the same state on the same data.
      expect(new Set(Object.values(variants).map(({ trainLoss }) => trainLoss[0])).size).toBe(1);
      expect(new Set(Object.values(variants).map(({ testLoss }) => testLoss[0])).size).toBe(1);
    }
  });

  it("writes curves against the cost in gradients", () => {
    const text = readFileSync(join(folder, "out/curves.csv"), "utf8");
    const { data, errors } = Papa.parse<Record<string, string>>(text.trim(), { header: true });
    expect(errors).toEqual([]);
    expect(data).toHaveLength(6 * 7);
    expect(data[6]).toMatchObject({ variant: "vanilla", iteration: "20", gradients: "2000", trials: "2" });
    const final = readStudy(join(folder, "out")).trials.map(({ variants }) => variants.vanilla!.testError[6]!);
    expect(Number(data[6]!.test_error)).toBeCloseTo((final[0]! + final[1]!) / 2, 12);
  });

  it("writes a report that loads nothing from elsewhere", () => {
    const page = readFileSync(join(folder, "out/report.html"), "utf8");
    expect(page.match(/<svg [^>]*role="img"/g)).toHaveLength(3);
    expect(page).not.toMatch(/(src|href)=|@import|url\(/);
    expect(page).toContain("--iterations 20 --seed 7");
    for (const figure of ["figure-3.svg", "figure-4.svg"]) {
      expect(readFileSync(join(folder, "out", figure), "utf8")).toMatch(
        /^<\?xml[^>]*>\n<svg[^>]* xmlns="http:\/\/www.w3.org\/2000\/svg"/,
      );
    }
  });

  it("copies figures to PNG at twice their size", () => {
    for (const figure of ["figure-3", "figure-4"]) {
      const [width] = / width="(\d+)"/.exec(readFileSync(join(folder, "out", `${figure}.svg`), "utf8"))!.slice(1);
      const copy = readFileSync(join(folder, "out", `${figure}.png`));
      expect(copy.subarray(1, 4).toString()).toBe("PNG");
      expect(copy.readUInt32BE(16)).toBe(2 * Number(width));
    }
  });

  it("keeps settings that are not the default", async () => {
    const folder = temporaryFolder();
    const strange = ["--dtype", "float64", "--protocol", "text", "--fraction", "0", "--factor", "50"];
    const { stdout } = await demo(folder, ["--trials", "1", "--json", "--variant", "published", ...strange, ...tiny]);
    const printed = JSON.parse(stdout) as { finished: number; variants: { name: string }[] };
    expect([printed.finished, printed.variants.map(({ name }) => name)]).toEqual([1, ["published"]]);
    const { settings, trials } = readStudy(join(folder, "out"));
    expect(settings).toMatchObject({ dtype: "float64", protocol: "text", fraction: 0, factor: 50 });
    expect(trials[0]!.displaced).toEqual([]);
  });

  it("gives the same numbers on any number of threads", async () => {
    const folder = temporaryFolder();
    const settings = ["--trials", "3", "--iterations", "20", ...two];
    for (const threads of ["1", "2"]) await demo(folder, [...settings, "--threads", threads, "--out", threads]);
    const [one, another] = ["1", "2"].map((name) => numbers(readStudy(join(folder, name)).trials));
    expect(one).toEqual(another);
  });

  it("makes a finished study longer, with the numbers of a long one", async () => {
    const folder = temporaryFolder();
    await demo(folder, ["--trials", "3", "--iterations", "20", ...two, "--out", "whole"]);
    await demo(folder, ["--trials", "1", "--iterations", "20", ...two, "--out", "short"]);
    const { status, stdout } = await demo(folder, ["--resume", "short", "--trials", "3"]);
    expect(status).toBe(0);
    expect(stdout).toContain("3 paired trials × 20 steps");
    const [whole, short] = [readStudy(join(folder, "whole")), readStudy(join(folder, "short"))];
    expect(short.settings).toEqual(whole.settings);
    expect(numbers(short.trials)).toEqual(numbers(whole.trials));
  });

  it.each(["SIGINT", "SIGKILL"] as const)(
    "keeps what is finished at %s and continues to the same numbers",
    async (signal) => {
      const folder = strangersFolder({
        "waiting.mjs": `
          import { existsSync } from "node:fs";
          import { defineAggregator } from "@robgrad/aggregators";
          const forever = new Int32Array(new SharedArrayBuffer(4));
          let trials = 0;
          export default () => {
            let begun = false;
            return defineAggregator("waiting at the third trial", (g) => {
              if (!begun) trials++;
              begun = true;
              if (trials === 3 && existsSync(new URL("wait", import.meta.url))) Atomics.wait(forever, 0, 0);
              return g.mean();
            });
          };`,
        wait: "",
      });
      const settings = ["--trials", "8", "--iterations", "20", "--variant", "vanilla"];
      const out = join(folder, "out");
      const rule = ["--aggregator", "./waiting.mjs", "--threads", "1"];
      const { status, stderr } = await demo(folder, [...settings, ...rule, "--out", "out"], (child) => {
        void trialsKept(out, 2).then(() => child.kill(signal));
      });
      if (signal === "SIGINT") {
        expect(status).toBe(130);
        expect(stderr).toMatch(/interrupted: 2 of 8 trials are finished; continue with --resume out/);
        expect(readStudy(out).trials).toHaveLength(2);
        expect(readFileSync(join(out, "report.html"), "utf8")).toContain("2 of 8 trials are finished");
      }
      rmSync(join(folder, "wait"));
      const resumed = await demo(folder, ["--resume", "out"]);
      expect([resumed.status, resumed.stderr]).toEqual([0, ""]);
      await demo(folder, [...settings, ...rule, "--out", "whole"]);
      expect(numbers(readStudy(out).trials)).toEqual(numbers(readStudy(join(folder, "whole")).trials));
      expect(readdirSync(out)).not.toContain("trials");
    },
  );

  it("names the section of the tutorial for its defaults in --help", async () => {
    const { status, stdout } = await demo(temporaryFolder(), ["--", "--help"]);
    expect(status).toBe(0);
    for (const option of [
      "trials",
      "iterations",
      "seed",
      "variant",
      "aggregator",
      "layers",
      "fraction",
      "factor",
      "protocol",
      "dtype",
    ]) {
      const described = stdout.slice(stdout.indexOf(`--${option} `)).split(/\n {2}--/)[0];
      expect(described, option).toMatch(/§|Algorithm/);
    }
    for (const option of ["device", "out", "json", "resume", "threads"]) expect(stdout).toContain(`--${option} `);
  });
});
