import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCommandLine } from "../src/cli/command-line.js";
import { demo, temporaryFolder } from "./run-demo.js";

/** One line, no stack. */
const line = (stderr: string) => {
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).not.toMatch(/\n? {4}at /);
  return stderr.trim();
};

describe("bad input", () => {
  it.each<[string[], RegExp]>([
    [["--trials", "0"], /--trials.*whole number in \[1,/],
    [["--trials", "1.5"], /--trials/],
    [["--trials", "many"], /--trials.*'many'/],
    [["--trials"], /--trials.*argument missing/],
    [["--iterations", "-1"], /--iterations/],
    [["--seed", "-1"], /--seed/],
    [["--seed", "1e300"], /--seed/],
    [["--variant", "vanila"], /--variant.*expected some of vanilla, published/],
    [["--fraction", "2"], /--fraction.*\[0, 1\]/],
    [["--factor", "Infinity"], /--factor/],
    [["--factor", "-1"], /--factor/],
    [["--protocol", "paper"], /--protocol.*code, text/],
    [["--dtype", "float16"], /--dtype.*float32, float64/],
    [["--threads", "0"], /--threads/],
    [["--layers", "4", "--aggregator", "mean"], /--layers/],
    [["--layers", "1"], /--layers: expected --aggregator/],
    [["--group", "half", "--aggregator", "mean"], /--group.*parameter, layer, all/],
    [["--speed", "9"], /unknown option '--speed'/],
    [["now"], /too many arguments/],
    [["--resume", "out", "--seed", "1"], /--resume: .*found --seed/],
  ])("%j is refused as usage", (args, message) => {
    const printed: string[] = [];
    const read = () => readCommandLine(args, (text) => printed.push(text));
    expect(read).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT", status: 2 }) as Error);
    expect(read).toThrow(message);
    expect(printed).toEqual([]);
  });

  it("is told in one line with code and status", async () => {
    const { status, stdout, stderr } = await demo(temporaryFolder(), ["--trials", "many"]);
    expect(line(stderr)).toMatch(/^error BAD_ARGUMENT: .*--trials.*'many'.*expected a whole number in \[1, /);
    expect([status, stdout]).toEqual([2, ""]);
  });

  it.each<[string[], RegExp, number]>([
    [["--device", "abacus"], /BAD_ARGUMENT: .*--device.*cpu, wasm, webgpu/, 2],
    [
      ["--aggregator", "avarage"],
      /BAD_ARGUMENT: --aggregator avarage: expected one of mean, sum, soft-truncation, .*package.*file/,
      2,
    ],
    [["--aggregator", "./absent.js"], /BAD_ARGUMENT: --aggregator \.\/absent\.js: expected a file, found none/, 2],
    [["--aggregator", "trimmed-mean:fraction=2"], /BAD_ARGUMENT: --aggregator trimmed-mean:fraction=2: .*fraction/, 2],
    [
      ["--aggregator", "trimmed-mean:fraction"],
      /BAD_ARGUMENT: --aggregator: .*name=value.*found "trimmed-mean:fraction"/,
      2,
    ],
    [
      ["--aggregator", "trimmed-mean:fractoin=0.1"],
      /BAD_ARGUMENT: --aggregator trimmed-mean:fractoin=0.1: expected options of trimmed-mean \(fraction\), found fractoin/,
      2,
    ],
    [["--aggregator", "mean:fraction=0.1"], /expected options of mean \(none\), found fraction/, 2],
    [["--aggregator", "median-of-means:blocks=200"], /BAD_ARGUMENT: .*median-of-means:blocks=200.*blocks/, 1],
  ])("%j fails before training, in one line", async (args, message, expected) => {
    const { status, stdout, stderr } = await demo(temporaryFolder(), args);
    expect(line(stderr)).toMatch(message);
    expect([status, stdout]).toEqual([expected, ""]);
  });

  it("finds an --out that cannot be written before it trains", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "file"), "");
    const { status, stdout, stderr } = await demo(folder, ["--out", "file/results"]);
    expect(line(stderr)).toMatch(/^error IO_FAILED: --out .*file.results: cannot make the folder/);
    expect([status, stdout]).toEqual([1, ""]);
    // A file system that takes no folders, not even from root.
    if (existsSync("/proc/self")) {
      const refused = await demo(folder, ["--out", "/proc/results"]);
      expect(line(refused.stderr)).toMatch(/^error IO_FAILED: --out .*proc.results: cannot make the folder/);
    }
  });

  it("does not write over a study", async () => {
    const folder = temporaryFolder();
    const run = ["--trials", "1", "--iterations", "1", "--variant", "vanilla", "--out", "out"];
    const first = await demo(folder, run);
    expect([first.status, first.stderr]).toEqual([0, ""]);
    const { status, stderr } = await demo(folder, run);
    expect(line(stderr)).toMatch(/BAD_ARGUMENT: --out .*continue it with --resume/);
    expect(status).toBe(2);
    const fewer = await demo(folder, ["--trials", "3", "--iterations", "1", "--variant", "vanilla", "--out", "three"]);
    expect(fewer.status).toBe(0);
    const { stderr: tooFew } = await demo(folder, ["--resume", "three", "--trials", "2"]);
    expect(line(tooFew)).toMatch(/BAD_ARGUMENT: --trials: expected at least the 3 trials/);
  });

  it.each([
    ["nothing", null, /IO_FAILED: --resume: cannot read/],
    ["half a file", '{ "format": 1, "set', /BAD_DATA: --resume: .*study\.json is not JSON/],
    ["something else", '{ "name": "demo" }', /BAD_DATA: --resume: expected a study of format 1/],
  ])("does not resume from %s", async (_what, content, message) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "out"));
    if (content !== null) writeFileSync(join(folder, "out/study.json"), content);
    const { status, stderr } = await demo(folder, ["--resume", "out"]);
    expect(line(stderr)).toMatch(message);
    expect(status).toBe(1);
  });
});
