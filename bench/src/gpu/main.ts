import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { median, softTruncation, type Aggregator } from "@robgrad/aggregators";
import { capture, openDevice, outer, tidy, type Device, type Tensor } from "@robgrad/tensor";
import { builtIn } from "demo/study/built-in-rules.js";
import { markdownTable } from "markdown-table";
import { noise, normal } from "../inputs.js";
import type { Job } from "../peers/peer.js";
import { robgradProduct } from "../peers/robgrad/product.js";
import { robgradTraining } from "../peers/robgrad/training.js";
import type { ProductWork, TrainingWork } from "../work.js";
import { iris } from "../works/iris.js";
import { mnist } from "../works/mnist.js";
import { openGpu } from "./open-gpu.js";
import { study, type StudyFigure } from "./study.js";

/** What was measured: milliseconds a call, on the card's clock and on the wall. */
interface Figure {
  readonly work: string;
  readonly card: number | null;
  readonly wall: number;
  readonly note: string;
}

/** Rounds are repeated until one takes this long, in milliseconds. */
const roundTime = 300;
const most = 400;
/** Pipelines of a profile that are shown. */
const mostShown = 10;

const figures: Figure[] = [];

const { values: options, positionals } = parseArgs({
  options: {
    only: { type: "string" },
    profile: { type: "boolean" },
    trials: { type: "string", default: "20" },
    iterations: { type: "string", default: "1000" },
    variants: { type: "string", default: "" },
  },
  allowPositionals: true,
});
/** Parts of names; work with none of them is left out. */
const wanted = options.only?.split(",") ?? [""];
const asked = (work: string) => wanted.some((part) => work.includes(part));

const { adapter, clock, profile } = await openGpu();
console.log(`adapter: ${adapter}`);
const device = await openDevice("webgpu");

async function measure(
  work: string,
  make: () => Job,
  note: (milliseconds: number) => string = () => "",
): Promise<number> {
  if (!asked(work)) return NaN;
  const job = make();
  await job.reset();
  // Pipelines are compiled in these.
  const start = performance.now();
  await job.run(3);
  const first = performance.now() - start;
  const best = { card: Infinity, wall: Infinity };
  let calls = 1;
  for (let round = 0; round < 6; round++) {
    await job.reset();
    const { card, wall } = await clock(async () => job.run(calls));
    if (wall / calls < best.wall) Object.assign(best, { wall: wall / calls, card: (card ?? NaN) / calls });
    calls = Math.max(1, Math.min(most, Math.round((calls * roundTime) / wall)));
  }
  const card = Number.isNaN(best.card) ? null : best.card;
  figures.push({ work, card, wall: best.wall, note: note(card ?? best.wall) });
  console.log(
    `${work}: ${card?.toFixed(3) ?? "–"} ms on the card, ${best.wall.toFixed(3)} ms on the wall ${figures.at(-1)?.note}; the first three calls ${first.toFixed(0)} ms`,
  );
  if (options.profile === true) {
    await job.reset();
    const dispatched = await profile(async () => job.run(1));
    const [count, sum] = [dispatched.reduce((n, d) => n + d.count, 0), dispatched.reduce((t, d) => t + d.card, 0)];
    console.log(`  ${count} dispatches of ${dispatched.length} pipelines, ${sum.toFixed(3)} ms in them`);
    for (const { label, count, card } of dispatched.slice(0, mostShown)) {
      console.log(`  ${(1e3 * card).toFixed(1)} µs, ${count} ×: ${label.slice(0, 150)}`);
    }
  }
  return card ?? best.wall;
}

async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(error);
  }
}

/** The largest error of a product and of a robust mean, against the same work on wasm in float64. */
async function checkNumbers(): Promise<void> {
  const wasm = await openDevice("wasm");
  const answers = async (on: Device, dtype: "float32" | "float64") => {
    const draw = (seed: number, shape: readonly number[]) =>
      on.tensor(Float32Array.from(normal(seed, shape[0]! * shape[1]!)), { shape, dtype });
    const [delta, x] = [draw(1, [300, 250]), draw(2, [300, 170])];
    const product = delta.transpose().matmul(x);
    return Promise.all([product.div(300).data(), softTruncation({ delta: 0.005 })(outer(delta, x)).data()]);
  };
  const [found, expected] = [await answers(device, "float32"), await answers(wasm, "float64")];
  const worst = found.map((values, k) =>
    Array.from(values).reduce((most, v, i) => Math.max(most, Math.abs(v - (expected[k]?.[i] as number))), 0),
  );
  console.log(`largest errors: ${worst.map((w) => w.toExponential(1)).join(" of a product, ")} of a robust mean`);
  wasm.dispose();
}

if (wanted.some((part) => part !== "study")) await attempt(checkNumbers);

for (const n of [512, 1024, 2048, 4096]) {
  for (const [transposeA, transposeB] of [
    [false, false],
    [false, true],
    [true, false],
  ] as const) {
    await attempt(async () => {
      const work: ProductWork = {
        kind: "product",
        id: `gemm-${n}`,
        title: "",
        calls: 1,
        rows: n,
        inner: n,
        columns: n,
        transposeA,
        transposeB,
      };
      const name = `gemm ${n}³ ${transposeA ? "aᵀ" : "a"} ${transposeB ? "bᵀ" : "b"}`;
      await measure(
        name,
        () => robgradProduct(device, "float32", work),
        (ms) => `${((2 * n ** 3) / ms / 1e6).toPrecision(3)} GFLOP/s`,
      );
    });
  }
}

/** The gradient of one layer of 4096 × 4096, 1024 samples: the plain product, and soft truncation of its rows. */
function layerJob(
  on: Device,
  gradient: (delta: Tensor, x: Tensor) => Tensor,
  factors = [1, 2].map((seed) => Float32Array.from(normal(seed, 1024 * 4096))),
): Job {
  const [delta, x] = factors.map((values) => on.tensor(values, { shape: [1024, 4096] })) as [Tensor, Tensor];
  const step = capture(gradient);
  let result: Tensor | null = null;
  return {
    reset() {},
    async run(calls) {
      for (let call = 0; call < calls; call++) result = step(delta, x);
      await (result as Tensor)
        .reshape([4096 * 4096])
        .slice([0, 1])
        .item();
    },
    values: async () => [],
    peakBytes: () => on.memory().peak,
  };
}

/**
 * The largest difference between a rule on the card and on the processor, in standard errors of the coordinate's mean,
 * for a layer that is wide enough for the kernels of large ones.
 */
async function compare(name: string, rule: Aggregator): Promise<void> {
  const work = `layer 1100 × 1100, N 256: ${name} against the processor's`;
  if (!asked(work)) return;
  const [samples, width] = [256, 1100];
  const processor = await openDevice("wasm");
  const gradient = (on: Device) => {
    const draw = (seed: number) =>
      on.tensor(Float32Array.from(normal(seed, samples * width)), { shape: [samples, width] });
    return outer(draw(1), draw(2));
  };
  const exact = gradient(processor);
  const [found, expected, squares, mean] = await Promise.all(
    [rule(gradient(device)), rule(exact), exact.columns((c) => c.mean((v) => v.square())), exact.mean()].map(
      async (result) => result.data(),
    ),
  );
  let most = 0;
  found?.forEach((value, d) => {
    const center = mean?.[d] as number;
    const error = Math.sqrt(((squares?.[d] as number) - center * center) / samples);
    most = Math.max(most, Math.abs(value - (expected?.[d] as number)) / error);
  });
  console.log(`${work}: at most ${most.toExponential(2)} standard errors apart`);
  processor.dispose();
}

await attempt(async () => compare("soft truncation", softTruncation({ delta: 0.005 })));
await attempt(async () => compare("median", median()));

await attempt(async () => {
  const plain = await measure("layer 4096 × 4096, N 1024: δᵀx", () =>
    layerJob(device, (delta, x) => delta.transpose().matmul(x)),
  );
  const rule = softTruncation({ delta: 0.005 });
  await measure(
    "layer 4096 × 4096, N 1024: soft truncation",
    () => layerJob(device, (delta, x) => rule(outer(delta, x))),
    (ms) => `${(ms / plain).toFixed(2)} plain products`,
  );
});

/** The factors that a softmax and a ReLU leave in a wide layer: small numbers with one near -1, and halves of zeros. */
function lossLayerJob(on: Device, gradient: (delta: Tensor, x: Tensor) => Tensor): Job {
  const [samples, width] = [1024, 4096];
  const [slopes, inputs] = [1, 2].map((seed) => normal(seed, samples * width)) as [Float64Array, Float64Array];
  const delta = Float32Array.from(slopes, (z, i) => {
    const [n, q] = [Math.floor(i / width), i % width];
    return Math.exp(0.7 * z) / width / 1.28 - Number(q === (n * 2654435761) % width);
  });
  return layerJob(on, gradient, [delta, Float32Array.from(inputs, (z) => Math.max(z, 0))]);
}

await attempt(async () => {
  const rule = softTruncation({ delta: 0.005 });
  await measure("layer 4096 × 4096, N 1024, behind a ReLU and before a softmax: soft truncation", () =>
    lossLayerJob(device, (delta, x) => rule(outer(delta, x))),
  );
});

/** Three kernels on 64 numbers, not recorded: what a call takes in JavaScript. */
function eagerJob(on: Device): Job {
  const x = on.ones([64]);
  return {
    reset() {},
    async run(calls) {
      for (let call = 0; call < calls; call++) tidy(() => x.add(1).mul(2).exp());
      await x.sum().item();
    },
    values: async () => [],
    peakBytes: () => on.memory().peak,
  };
}
await attempt(async () => measure("eager: three kernels on 64 numbers", () => eagerJob(device)));

const jointly = mnist
  .filter(({ id }) => id === "mnist-gmom")
  .map((work): TrainingWork => ({
    ...work,
    title: work.title.replace("by layer", "jointly"),
    rule: { kind: "gmom", blocks: 8, tolerance: 1e-6, grouping: "all" },
  }));
for (const work of [...iris, ...mnist, ...jointly]) {
  if (/stranger|uniform|digits/.test(work.id)) continue;
  await attempt(() => measure(work.title, () => robgradTraining(device, "float32", work)));
}

const widths = [4096, 4096, 4096];
for (const rule of [{ kind: "mean" }, { kind: "soft", delta: 0.005 }] as const) {
  const work: TrainingWork = {
    kind: "training",
    id: "mlp",
    title: `4096-4096-4096, N 1024: ${rule.kind}`,
    calls: 1,
    samples: 1024,
    widths,
    stepSize: 0.01,
    rule,
    robust: "all",
    data: () => noise(normal, 1024, widths),
  };
  await attempt(() => measure(work.title, () => robgradTraining(device, "float32", work)));
}

// Only by their name, as they are, all parameters one vector. Four others take seconds a step or refuse so many samples; the
// sum leaves all bounds at the step size of the mean.
const left = new Set(["bulyan", "caf", "smea", "minimum-diameter-averaging", "sum"]);
if (wanted.includes("rules")) {
  const [work] = mnist.filter(({ id }) => id === "mnist");
  await attempt(() => measure("rules: plain back-propagation", () => robgradTraining(device, "float32", work!)));
  for (const [name, { factory }] of builtIn) {
    if (left.has(name)) continue;
    const make = () => robgradTraining(device, "float32", work!, factory({}) as Aggregator);
    await attempt(() => measure(`rules: ${name}`, make));
  }
}

// Only by its name: it says how well the card trains, and takes minutes.
let outcomes: StudyFigure[] = [];
if (wanted.includes("study")) {
  await attempt(async () => {
    const { trials, iterations, variants } = options;
    outcomes = await study(device, Number(trials), Number(iterations), variants.split(","));
  });
}

const cell = (milliseconds: number | null) => milliseconds?.toFixed(3) ?? "–";
console.log(
  markdownTable(
    [
      ["work", "card, ms", "wall, ms", ""],
      ...figures.map(({ work, card, wall, note }) => [work, cell(card), cell(wall), note]),
    ],
    { align: ["l", "r", "r", "l"] },
  ),
);
const [file] = positionals;
if (file !== undefined) await writeFile(file, JSON.stringify({ adapter, figures, study: outcomes }, null, 2));
device.dispose();
