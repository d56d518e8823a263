import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { demo, temporaryFolder } from "./run-demo.js";

/** One line, no stack. */
const line = (stderr: string) => {
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).not.toMatch(/\n? {4}at /);
  return stderr.trim();
};

describe("bad input", () => {
  it.each([
    [["--trials", "0"], /^error BAD_ARGUMENT: .*--trials.*whole number in \[1,/],
    [["--trials", "1.5"], /BAD_ARGUMENT: .*--trials/],
    [["--trials", "many"], /BAD_ARGUMENT: .*--trials.*'many'/],
    [["--trials"], /BAD_ARGUMENT: .*--trials.*argument missing/],
    [["--iterations", "-1"], /BAD_ARGUMENT: .*--iterations/],
    [["--seed", "-1"], /BAD_ARGUMENT: .*--seed/],
    [["--seed", "1e300"], /BAD_ARGUMENT: .*--seed/],
    [["--variant", "vanila"], /BAD_ARGUMENT: .*--variant.*expected some of vanilla, published/],
    [["--fraction", "2"], /BAD_ARGUMENT: .*--fraction.*\[0, 1\]/],
    [["--factor", "Infinity"], /BAD_ARGUMENT: .*--factor/],
    [["--factor", "-1"], /BAD_ARGUMENT: .*--factor/],
    [["--protocol", "paper"], /BAD_ARGUMENT: .*--protocol.*code, text/],
    [["--dtype", "float16"], /BAD_ARGUMENT: .*--dtype.*float32, float64/],
    [["--device", "abacus"], /BAD_ARGUMENT: .*--device.*cpu, wasm, webgpu/],
    [["--threads", "0"], /BAD_ARGUMENT: .*--threads/],
    [["--layers", "4", "--aggregator", "mean"], /BAD_ARGUMENT: .*--layers/],
    [["--layers", "1"], /BAD_ARGUMENT: --layers: expected --aggregator/],
    [["--group", "half", "--aggregator", "mean"], /BAD_ARGUMENT: .*--group.*parameter, layer, all/],
    [["--speed", "9"], /BAD_ARGUMENT: unknown option '--speed'/],
    [["now"], /BAD_ARGUMENT: too many arguments/],
    [
      ["--aggregator", "avarage"],
      /BAD_ARGUMENT: --aggregator avarage: expected one of mean, sum, soft-truncation, .*package.*file/,
    ],
    [["--aggregator", "./absent.js"], /BAD_ARGUMENT: --aggregator \.\/absent\.js: expected a file, found none/],
    [["--aggregator", "trimmed-mean:fraction=2"], /BAD_ARGUMENT: --aggregator trimmed-mean:fraction=2: .*fraction/],
    [["--aggregator", "trimmed-mean:fraction"], /BAD_ARGUMENT: --aggregator trimmed-mean:fraction/],
    [["--aggregator", "median-of-means:blocks=200"], /BAD_ARGUMENT: .*median-of-means:blocks=200.*blocks/],
    [["--resume", "out", "--seed", "1"], /BAD_ARGUMENT: --resume: .*found --seed/],
  ])("%j is refused in one line with status 2", async (args, message) => {
    const { status, stdout, stderr } = await demo(temporaryFolder(), args);
    expect(line(stderr)).toMatch(message);
    expect([status, stdout]).toEqual([message.source.includes("blocks=200") ? 1 : 2, ""]);
  });

  it("finds an --out that cannot be written before it trains", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "file"), "");
    const { status, stdout, stderr } = await demo(folder, ["--out", "file/results"]);
    expect(line(stderr)).toMatch(/^error IO_FAILED: --out .*file.results: cannot make the folder/);
    expect([status, stdout]).toEqual([1, ""]);
  });

  it.skipIf(process.getuid?.() === 0)("finds an --out without permission before it trains", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "out"));
    chmodSync(join(folder, "out"), 0o555);
    const { status, stderr } = await demo(folder, ["--out", "out"]);
    expect(line(stderr)).toMatch(/^error IO_FAILED: /);
    expect(status).toBe(1);
  });

  it("does not write over a study", async () => {
    const folder = temporaryFolder();
    const run = ["--trials", "1", "--iterations", "1", "--variant", "vanilla", "--out", "out"];
    expect((await demo(folder, run)).status).toBe(0);
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
