import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { openDevice } from "@robgrad/tensor";
import { nameOfOurs, ours, peers } from "./contenders.js";
import { compare, type Schedule } from "./harness.js";
import { fillPage } from "./page.js";
import { load, machine, placeOf, sectionOf, tableOf, type Machine, type Section } from "./report.js";
import { summaryOf } from "./summary.js";
import type { Work } from "./work.js";
import { works } from "./works/works.js";

interface Options {
  readonly only?: readonly string[];
  readonly peers: readonly string[];
  readonly device?: readonly string[];
  readonly threads: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly json?: string;
  readonly from?: readonly string[];
  readonly pages?: readonly string[];
}

const list = (text: string) => text.split(",").filter((item) => item !== "");

/** Names out of those there are. */
const oneOf = (known: readonly string[]) => (text: string) => {
  const names = list(text);
  const strange = names.find((name) => !known.includes(name));
  if (strange !== undefined) throw new InvalidArgumentError(`There is no ${strange}; there are ${known.join(", ")}.`);
  return names;
};

function natural(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("A whole number from 1 is wanted.");
  return value;
}

/** A work's name, or the beginning of the names of several. */
function selected(names: readonly string[] | undefined): readonly Work[] {
  if (names === undefined) return works;
  const chosen = new Set<Work>();
  for (const name of names) {
    const exact = works.filter(({ id }) => id === name);
    const found = exact.length > 0 ? exact : works.filter(({ id }) => id.startsWith(name.replace(/\*$/, "")));
    if (found.length === 0) {
      throw new RangeError(`There is no work ${name}; there are ${works.map(({ id }) => id).join(", ")}.`);
    }
    for (const work of found) chosen.add(work);
  }
  return works.filter((work) => chosen.has(work));
}

async function fastestDevice(): Promise<string> {
  const device = await openDevice(["wasm", "cpu"]);
  const { name } = device;
  device.dispose();
  return name;
}

/** Everything that one run has measured. */
interface Run {
  readonly date: string;
  readonly machine: Machine;
  readonly schedule: Schedule;
  readonly versions: Readonly<Record<string, string>>;
  readonly loads: readonly number[];
  readonly works: readonly Section[];
}

const program = new Command("bench")
  .description("Times robgrad against other libraries and hand-written JavaScript on the same work.")
  .option("--only <works>", "names, or beginnings such as mnist-soft*, with commas", list)
  .option("--peers <names>", Object.keys(peers).join(", "), oneOf(Object.keys(peers)), Object.keys(peers))
  .option(
    "--device <names>",
    `ours: ${Object.keys(ours).join(", ")}; ratios refer to the first`,
    oneOf(Object.keys(ours)),
  )
  .option("--threads <count>", "of ours, where a device has them", natural, 1)
  .option("--rounds <count>", "most interleaved rounds", natural, 20)
  .option("--seconds <count>", "roughly how long one contender is timed on one work", natural, 15)
  .option("--json <file>", "write everything measured")
  .option("--from <files>", "take what runs on one machine wrote with --json, with commas, instead of measuring", list)
  .option("--pages <files>", "fill the blocks <!-- bench … --> of Markdown pages with a table", list);

// Some package managers hand on the `--` that ends their own options.
const args = process.argv.slice(process.argv[2] === "--" ? 3 : 2);
const options = program.parse(args, { from: "user" }).opts<Options>();
// A package manager runs scripts in the project's folder and says here where the person is.
const fileOf = (name: string) => resolve(process.env.INIT_CWD ?? process.cwd(), name);

async function measured({ threads, rounds, seconds, device, only, peers }: Options): Promise<Run> {
  const schedule = { threads, rounds, seconds };
  const own = (device ?? [await fastestDevice()]).map(nameOfOurs);
  const versions: Record<string, string> = {};
  const loads = [load()];
  const sections: Section[] = [];
  for (const work of selected(only)) {
    process.stderr.write(`${work.id} …\n`);
    const comparison = await compare(work, [...own, ...peers], schedule);
    for (const outcome of comparison.outcomes) if (outcome.kind === "timed") Object.assign(versions, outcome.versions);
    sections.push(sectionOf(comparison, own[0]));
    loads.push(load());
  }
  return { date: new Date().toISOString(), machine: machine(), schedule, versions, loads, works: sections };
}

/** Runs of one machine as one; of a work measured twice, the later run counts. */
async function gathered(files: readonly string[]): Promise<Run> {
  const runs = await Promise.all(files.map(async (file) => JSON.parse(await readFile(fileOf(file), "utf8")) as Run));
  runs.sort((a, b) => a.date.localeCompare(b.date));
  const last = runs.at(-1) as Run;
  const place = ({ machine, schedule }: Run) => placeOf(machine, schedule, {});
  const other = runs.find((run) => place(run) !== place(last));
  if (other !== undefined) {
    throw new RangeError(`--from: expected runs of one machine, found ${place(other)} and ${place(last)}`);
  }
  const found = new Map(runs.flatMap((run) => run.works.map((section) => [section.id, section] as const)));
  return {
    ...last,
    versions: Object.assign({}, ...runs.map(({ versions }) => versions)) as Run["versions"],
    loads: runs.flatMap(({ loads }) => loads),
    works: works.flatMap(({ id }) => found.get(id) ?? []),
  };
}

const run = await (options.from === undefined ? measured(options) : gathered(options.from));
const place = `${placeOf(run.machine, run.schedule, run.versions)}`;
const busy = `Load of the machine ${Math.min(...run.loads).toFixed(1)} to ${Math.max(...run.loads).toFixed(1)}`;
process.stdout.write(`${tableOf(run.works)}\n\n${place}\n${busy}\n`);
if (options.json !== undefined) await writeFile(fileOf(options.json), `${JSON.stringify(run, null, 2)}\n`);
for (const page of options.pages ?? []) {
  await fillPage(fileOf(page), (names) => {
    const missing = names.find((name) => !run.works.some(({ id }) => id === name));
    if (missing !== undefined) throw new RangeError(`${page}: expected a time of ${missing}, found none in this run`);
    const shown = run.works.filter(({ id }) => names.length === 0 || names.includes(id));
    return `${summaryOf(shown)}\n\nMedians of interleaved rounds; in brackets how many times as long as the first column, in paired rounds.\n${place}. ${busy}; ${run.date.slice(0, 10)}.`;
  });
}
