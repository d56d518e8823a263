import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { openDevice } from "@robgrad/tensor";
import { nameOfOurs, ours, peers } from "./contenders.js";
import { compare } from "./harness.js";
import { load, machine, placeOf, sectionOf, tableOf, type Section } from "./report.js";
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
  .option("--json <file>", "everything measured");

// Some package managers hand on the `--` that ends their own options.
const args = process.argv.slice(process.argv[2] === "--" ? 3 : 2);
const options = program.parse(args, { from: "user" }).opts<Options>();
const { threads, rounds, seconds } = options;
const schedule = { threads, rounds, seconds };
const own = (options.device ?? [await fastestDevice()]).map(nameOfOurs);
const place = machine();
const versions: Record<string, string> = {};
const loads = [load()];
const sections: Section[] = [];
for (const work of selected(options.only)) {
  process.stderr.write(`${work.id} …\n`);
  const comparison = await compare(work, [...own, ...options.peers], schedule);
  for (const outcome of comparison.outcomes) if (outcome.kind === "timed") Object.assign(versions, outcome.versions);
  sections.push(sectionOf(comparison, own[0]));
  loads.push(load());
}
process.stdout.write(`${tableOf(sections)}\n\n${placeOf(place, schedule, versions)}\n`);
process.stdout.write(`Load of the machine ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}\n`);
if (options.json !== undefined) {
  // A package manager runs scripts in the project's folder and says here where the person is.
  const file = resolve(process.env.INIT_CWD ?? process.cwd(), options.json);
  const everything = { date: new Date().toISOString(), machine: place, schedule, versions, loads, works: sections };
  await writeFile(file, `${JSON.stringify(everything, null, 2)}\n`);
}
