import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import type { Aggregator } from "@robgrad/aggregators";
import { openDevice } from "@robgrad/tensor";
import { builtIn } from "demo/study/built-in-rules.js";
import type { Job } from "./peers/peer.js";
import { robgradTraining } from "./peers/robgrad/training.js";
import { median, pairedRatio } from "./statistics.js";
import type { TrainingWork } from "./work.js";
import { mnist } from "./works/mnist.js";

/** A rule's first three steps, with all that is made for them, take at most so long on the clock, milliseconds, or it is left out. */
const patience = 30_000;
/** A rule that has taken so long, milliseconds, sits out all rounds after its third. */
const enough = 10_000;

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    only: { type: "string", default: "" },
    /** Takes the first steps of one rule and says nothing. */
    probe: { type: "string" },
  },
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  throw new RangeError(`rules: expected --rounds to be a whole number ≥ 1, found ${options.rounds}`);
}

/**
 * Milliseconds of processor time of one step from the initial weights: other numbers, or none at all, may take longer.
 * There is one thread, so on an idle machine that is the time on the clock, and elsewhere what the step itself takes.
 */
async function timed(job: Job): Promise<number> {
  await job.reset();
  const start = process.cpuUsage();
  await job.run(1);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

const device = await openDevice("wasm", { threads: 1 });
const work = mnist.find(({ id }) => id === "mnist") as TrainingWork;
const factories = new Map([...builtIn].map(([name, { factory }]) => [name, factory]));

/** A rule's job once it has taken two steps, to be recorded, and one from the recording. */
async function started(name: string): Promise<Job> {
  const factory = factories.get(name);
  if (factory === undefined) throw new RangeError(`rules: found no rule ${name}`);
  const job = robgradTraining(device, "float32", work, factory({}) as Aggregator);
  for (let step = 0; step < 3; step++) await timed(job);
  return job;
}

if (options.probe !== undefined) {
  await started(options.probe);
  process.exit();
}

/** Why a rule is left out, or null: another process tries it, which can be stopped in the middle of a step. */
async function obstacle(name: string): Promise<string | null> {
  try {
    const program = [fileURLToPath(import.meta.url), "--probe", name];
    await promisify(execFile)(process.execPath, program, { timeout: patience, killSignal: "SIGKILL" });
    return null;
  } catch (error) {
    const { killed, stderr } = error as { readonly killed?: boolean; readonly stderr?: string };
    if (killed === true) return `its first three steps take more than ${patience / 1000} s`;
    return /^\w*Error: .*/m.exec(stderr ?? "")?.[0] ?? String(error);
  }
}

const chosen = options.only.split(",").filter((name) => name !== "");
const times = new Map<string, number[]>();
const jobs = new Map<string, Job>([["plain back-propagation", robgradTraining(device, "float32", work)]]);
const left: string[] = [];
for (const name of chosen.length > 0 ? chosen : factories.keys()) {
  const reason = await obstacle(name);
  if (reason === null) jobs.set(name, await started(name));
  else left.push(`${name}: ${reason}`);
}
for (const job of jobs.values()) await timed(job);
for (let round = 0; round < rounds; round++) {
  for (const [name, job] of jobs) {
    const own = times.get(name) ?? [];
    if (own.length < 3 || own.reduce((sum, time) => sum + time, 0) < enough)
      times.set(name, [...own, await timed(job)]);
  }
}

const [[, base]] = times as unknown as [[string, number[]]];
console.log(
  `${work.title}: every rule as it is, all parameters one vector; wasm, one thread, processor time, median of ${rounds} rounds (3 or more of long ones)\n`,
);
console.log("| rule | a step | plain steps |\n| :-- | --: | --: |");
for (const [name, each] of [...times].sort(([, a], [, b]) => median(a) - median(b))) {
  console.log(`| ${name} | ${median(each).toFixed(1)} ms | ${pairedRatio(each, base).toFixed(2)} |`);
}
for (const line of left) console.log(`- left out: ${line}`);
device.dispose();
