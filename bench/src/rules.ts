import { parseArgs } from "node:util";
import type { Aggregator } from "@robgrad/aggregators";
import { openDevice } from "@robgrad/tensor";
import { builtIn } from "demo/study/built-in-rules.js";
import type { Job } from "./peers/peer.js";
import { robgradTraining } from "./peers/robgrad/training.js";
import { median, pairedRatio } from "./statistics.js";
import type { TrainingWork } from "./work.js";
import { mnist } from "./works/mnist.js";

/** One step of a rule takes at most so long, milliseconds, or it is left out of the rounds. */
const patience = 20_000;

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "7" }, only: { type: "string", default: "" } },
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  throw new RangeError(`rules: expected --rounds to be a whole number ≥ 1, found ${options.rounds}`);
}

/** Milliseconds of one step from the initial weights: numbers that some rules would get to, or none, take longer. */
async function timed(job: Job): Promise<number> {
  await job.reset();
  const start = performance.now();
  await job.run(1);
  return performance.now() - start;
}

const device = await openDevice("wasm", { threads: 1 });
const work = mnist.find(({ id }) => id === "mnist") as TrainingWork;
const chosen = options.only.split(",").filter((name) => name !== "");
const times = new Map<string, number[]>();
const jobs = new Map<string, Job>([["plain back-propagation", robgradTraining(device, "float32", work)]]);
const left: string[] = [];
for (const [name, { factory }] of builtIn) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const job = robgradTraining(device, "float32", work, factory({}) as Aggregator);
  try {
    // A step twice, to be recorded, and once from the recording.
    await job.run(2);
    const once = await timed(job);
    if (once > patience) left.push(`${name}: a step takes ${(once / 1000).toFixed(0)} s`);
    else jobs.set(name, job);
  } catch (error) {
    left.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
for (const job of jobs.values()) await job.run(1);
for (let round = 0; round < rounds; round++) {
  for (const [name, job] of jobs) times.set(name, [...(times.get(name) ?? []), await timed(job)]);
}

const [[, base]] = times as unknown as [[string, number[]]];
console.log(
  `${work.title}: every rule as it is, all parameters one vector; wasm, one thread, median of ${rounds} rounds\n`,
);
console.log("| rule | a step | plain steps |\n| :-- | --: | --: |");
for (const [name, each] of [...times].sort(([, a], [, b]) => median(a) - median(b))) {
  console.log(`| ${name} | ${median(each).toFixed(1)} ms | ${pairedRatio(each, base).toFixed(2)} |`);
}
for (const line of left) console.log(`- left out: ${line}`);
device.dispose();
