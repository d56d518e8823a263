import {
  capture,
  concatenated,
  denseSamples,
  expanded,
  hasCode,
  openDevice,
  outer,
  summed,
  tidy,
  type DeviceName,
  type SampleMatrix,
  type Tensor,
} from "@robgrad/tensor";
import { aggregate } from "../aggregate.js";
import type { Aggregator } from "../aggregator.js";
import { biases } from "./biases.js";
import type { Claims } from "./claims.js";
import { at, mapRows, multiply, orthogonalMatrix, someRows, type Rows } from "./rows.js";
import { format, type Subject } from "./subject.js";

/** One property of a rule. `run` rejects when the rule does not have it. */
export interface Check {
  readonly name: string;
  /** Whether it belongs to what the author claims. */
  readonly applies: (claims: Claims) => boolean;
  readonly run: (subject: Subject) => Promise<void>;
  /** A device without which there is nothing to check. */
  readonly device?: DeviceName;
}

const always = () => true;

function checkFinite(what: string, values: readonly number[]): void {
  if (!values.every(Number.isFinite)) throw new Error(`expected a finite answer for ${what}, found ${format(values)}`);
}

const shape: Check = {
  name: "returns one row in the dtype of the gradients",
  applies: always,
  async run(subject) {
    for (const dtype of subject.dtypes) {
      for (const [count, width] of [
        [5, 7],
        [8, 1],
        [3, 2],
      ] as const) {
        const rows = someRows(subject.samples(count), width, 1);
        const answer = await subject.ask(subject.make(), () => subject.dense(rows, dtype));
        if (answer.shape.join() !== String(width) || answer.dtype !== dtype) {
          throw new Error(`expected ${dtype} [${width}], found ${answer.dtype} [${answer.shape.join(", ")}]`);
        }
      }
    }
  },
};

const scales = { float32: [1e-15, 1e-6, 1, 1e6, 1e15], float64: [1e-30, 1e-10, 1, 1e10, 1e30] } as const;

const finiteAtEveryScale: Check = {
  name: "is finite for gradients of every size",
  applies: always,
  async run(subject) {
    for (const dtype of subject.dtypes) {
      for (const scale of scales[dtype]) {
        const rows = mapRows(someRows(subject.samples(10), 4, 2), (value) => scale * value);
        checkFinite(`${dtype} gradients of size ${scale}`, await subject.answer(rows, dtype));
      }
    }
  },
};

const fewSamples = (count: 1 | 2): Check => ({
  name: count === 1 ? "takes a single sample" : "takes two samples",
  applies: ({ minimumSamples = 1 }) => minimumSamples <= count,
  async run(subject) {
    checkFinite(`N = ${count}`, await subject.answer(someRows(count, 4, 3)));
  },
});

const identicalRows: Check = {
  name: "takes rows that are all equal",
  applies: always,
  async run(subject) {
    const { translationEquivariant, scaleEquivariant } = subject.claims;
    const row = [1.5, -2, 0.25];
    const rows = Array.from({ length: subject.samples(7) }, () => row);
    const found = await subject.answer(rows);
    checkFinite("equal rows", found);
    if (translationEquivariant && scaleEquivariant) subject.agree("the row that all samples share", found, row, rows);
  },
};

const zeroRows: Check = {
  name: "takes rows of zeros",
  applies: always,
  async run(subject) {
    const found = await subject.answer(Array.from({ length: subject.samples(7) }, () => [0, 0, 0]));
    checkFinite("rows of zeros", found);
    if (subject.claims.scaleEquivariant && found.some((value) => value !== 0)) {
      throw new Error(`expected zeros for rows of zeros, found ${format(found)}`);
    }
  },
};

const deterministic: Check = {
  name: "gives the same answer again",
  applies: always,
  async run(subject) {
    const rows = someRows(subject.samples(11), 5, 4);
    const rule = subject.make();
    const first = (await subject.ask(rule, () => subject.dense(rows))).values;
    const same = (other: readonly number[], who: string) => {
      if (other.some((value, d) => !Object.is(value, first[d]))) {
        throw new Error(`expected the same numbers from ${who}, found ${format(other)} after ${format(first)}`);
      }
    };
    if (subject.claims.random !== true) {
      same(
        (await subject.ask(rule, () => subject.dense(rows))).values,
        "a rule that is asked again; what it keeps belongs into its memory",
      );
    }
    same(await subject.answer(rows), "a second rule that was made alike");
  },
};

const untouchedInput: Check = {
  name: "leaves the gradients as they were",
  applies: always,
  async run(subject) {
    const rows = someRows(subject.samples(9), 4, 5);
    const tensor = subject.device.tensor(rows.flat(), { shape: [rows.length, 4], dtype: subject.dtype });
    const before = Array.from(await tensor.data());
    await subject.ask(subject.make(), () => denseSamples(tensor));
    const after = Array.from(await tensor.data());
    tensor.dispose();
    if (after.some((value, k) => value !== before[k]))
      throw new Error("expected the gradients unchanged, found that the rule wrote to them");
  },
};

/** The same rows in every form a sample matrix has. */
function forms(subject: Subject): {
  readonly rows: Rows;
  readonly forms: Readonly<Record<string, () => SampleMatrix>>;
} {
  const [count, q, p] = [subject.samples(9), 3, 2];
  const delta = someRows(count, q, 6);
  const x = someRows(count, p, 7);
  const rows = delta.map((d, n) => d.flatMap((value) => (x[n] as readonly number[]).map((other) => value * other)));
  const tensor = (values: readonly number[], extents: readonly number[]) =>
    subject.device.tensor([...values], { shape: extents, dtype: subject.dtype });
  const interleave = (a: Rows, b: Rows) => a.flatMap((row, n) => [...row, ...(b[n] as readonly number[])]);
  const half = mapRows(delta, (value) => value / 2);
  return {
    rows,
    forms: {
      dense: () => subject.dense(rows),
      outer: () => outer(tensor(delta.flat(), [count, q]), tensor(x.flat(), [count, p])),
      expanded: () => expanded(tensor(interleave(half, half), [count, 2, q]), tensor(interleave(x, x), [count, 2, p])),
      concatenated: () =>
        concatenated([
          subject.dense(rows.map((row) => row.slice(0, 1))),
          subject.dense(rows.map((row) => row.slice(1))),
        ]),
      summed: () =>
        summed([subject.dense(mapRows(rows, (value, n) => value - n)), subject.dense(mapRows(rows, (_, n) => n))]),
    },
  };
}

const everyForm: Check = {
  name: "gives one answer for every form of the same rows",
  applies: always,
  async run(subject) {
    const { rows, forms: all } = forms(subject);
    const expected = await subject.answer(rows);
    for (const [form, matrix] of Object.entries(all)) {
      const { values } = await subject.ask(subject.make(), matrix);
      subject.agree(`the answer about dense rows from ${form} ones`, values, expected, rows);
    }
  },
};

const permutation: Check = {
  name: "does not depend on the order of the samples",
  applies: ({ permutationInvariant }) => permutationInvariant === true,
  async run(subject) {
    for (const count of [2, 11, 12]) {
      const rows = someRows(subject.samples(count), 4, 8);
      const expected = await subject.answer(rows);
      const rotated = rows.map((_, n) => rows[(n + 1) % rows.length] as readonly number[]);
      for (const other of [rotated, [...rows].reverse()]) {
        subject.agree("A(g in another order) = A(g)", await subject.answer(other), expected, rows);
      }
    }
  },
};

const translation: Check = {
  name: "moves with the gradients",
  applies: ({ translationEquivariant }) => translationEquivariant === true,
  async run(subject) {
    const rows = someRows(subject.samples(11), 4, 9);
    const by = [3, -20, 0.5, 7];
    const moved = mapRows(rows, (value, _, d) => value + (by[d] as number));
    const expected = (await subject.answer(rows)).map((value, d) => value + (by[d] as number));
    subject.agree("A(g + t) = A(g) + t", await subject.answer(moved), expected, moved);
  },
};

const scale: Check = {
  name: "scales with the gradients",
  applies: ({ scaleEquivariant }) => scaleEquivariant === true,
  async run(subject) {
    const rows = someRows(subject.samples(11), 4, 10);
    const expected = await subject.answer(rows);
    for (const factor of [1e-4, 0.3, 20, 1e5]) {
      const scaled = mapRows(rows, (value) => factor * value);
      subject.agree(
        `A(${factor} g) = ${factor} A(g)`,
        await subject.answer(scaled),
        expected.map((value) => factor * value),
        scaled,
      );
    }
  },
};

const orthogonal: Check = {
  name: "turns with the gradients",
  applies: ({ orthogonalEquivariant }) => orthogonalEquivariant === true,
  async run(subject) {
    const rows = someRows(subject.samples(11), 4, 11);
    const q = orthogonalMatrix(4, 12);
    const [expected] = multiply([await subject.answer(rows)], q);
    subject.agree("A(g Q) = A(g) Q", await subject.answer(multiply(rows, q)), expected as readonly number[], rows);
  },
};

const coordinatewise: Check = {
  name: "treats every coordinate by itself",
  applies: ({ coordinatewise: claimed }) => claimed === true,
  async run(subject) {
    const rows = someRows(subject.samples(11), 5, 13);
    const expected = await subject.answer(rows);
    const kept = [3, 0];
    const found = await subject.answer(rows.map((row) => kept.map((d) => row[d] as number)));
    subject.agree(
      "the answer about coordinates 3 and 0 without the others",
      found,
      kept.map((d) => expected[d] as number),
      rows,
    );
  },
};

/** Ways to spoil rows, given how large. The last copies an honest row's direction, far out. */
const contaminations: Readonly<Record<string, (size: number, n: number, d: number, rows: Rows) => number>> = {
  "at one point": (size) => size,
  "in one coordinate": (size, _, d) => (d === 0 ? -size : 0),
  "all over the place": (size, n, d) => size * (1 + n) * ((n + d) % 2 === 0 ? 1 : -1),
  "far out along honest ones": (size, n, d, rows) => size * at(rows, n, d),
};

const breakdown: Check = {
  name: "withstands the share of wild samples it claims to",
  applies: ({ breakdownPoint = 0 }) => breakdownPoint > 0,
  async run(subject) {
    for (const count of [subject.samples(20), subject.samples(11)]) {
      const claimed = hostileOf(subject.claims, count);
      const honest = someRows(count, 3, 14).map((row) => row.map((value) => (value - 0.7) / 10 + 0.7));
      const spread = Math.max(...honest.flat().map((value) => Math.abs(value - 0.7)));
      for (const [where, value] of Object.entries(contaminations)) {
        /** What is found where `wild` samples carry the answer away, else null. */
        const carriedAway = async (wild: number) => {
          for (const size of [1e3, 1e6, 1e9]) {
            const spoil = (own: number, n: number, d: number) =>
              n % 2 === 1 && n < 2 * wild ? value(size, n, d, honest) : own;
            const answer = await subject.answer(mapRows(honest, spoil));
            if (answer.some((entry) => !(Math.abs(entry - 0.7) <= 100 * spread))) return { answer, size };
          }
          return null;
        };
        const found = await carriedAway(claimed);
        if (found === null) continue;
        let enough = 1;
        while (enough < claimed && (await carriedAway(enough)) === null) enough++;
        throw new Error(
          `expected ${claimed} of ${count} samples not to carry the answer away, found that ${enough} do and ${format(found.answer)} for honest rows within ${spread.toPrecision(3)} of 0.7 and ${claimed} of size ${found.size} ${where}`,
        );
      }
    }
  },
};

/** How many samples the claim lets be hostile: less than half of them. */
function hostileOf({ breakdownPoint = 0 }: Claims, count: number): number {
  return Math.min(Math.floor(breakdownPoint * count + 1e-9), Math.ceil(count / 2) - 1);
}

const bias: Check = {
  name: "is moved by the nine attacks no further than it claims",
  applies: (claims) => claims.bias !== undefined,
  async run(subject) {
    const count = subject.samples(20);
    const hostile = hostileOf(subject.claims, count);
    const found = Object.entries(await biases(subject, count, hostile));
    const [worst, most] = found.reduce((a, b) => (b[1] <= a[1] ? a : b));
    const limit = subject.claims.bias as number;
    if (most <= limit) return;
    const all = found.map(([attack, value]) => `${attack} ${value.toPrecision(3)}`).join(", ");
    throw new Error(
      `expected ${hostile} of ${count} samples to move the answer by at most ${limit} root mean squares of the honest gradients' distances, found ${most.toPrecision(3)} by ${worst} (${all})`,
    );
  },
};

/** Rows as float32 holds them: what is lost on the way in is not the rule's doing. */
const rounded = (rows: Rows) => mapRows(rows, Math.fround);

const accuracy: Check = {
  name: "keeps its accuracy in float32",
  applies: always,
  async run(subject) {
    const alone = subject.device.dtypes.includes("float64");
    const device = alone ? subject.device : await openDevice("cpu");
    try {
      const wide = subject.on(device);
      const cases: Record<string, Rows> = {};
      for (const count of new Set([8, 32, 128].map((count) => subject.samples(count)))) {
        cases[`${count} samples`] = someRows(count, 4, 15);
      }
      const few = subject.samples(16);
      cases["gradients with a common part of 100 times their spread"] = mapRows(
        someRows(few, 4, 16),
        (value) => value + 100,
      );
      for (const n of [0, few - 1]) {
        cases[`row ${n} displaced by 10000`] = mapRows(
          someRows(few, 4, 17),
          (value, row) => value + (row === n ? 1e4 : 0),
        );
      }
      for (const [what, exact] of Object.entries(cases)) {
        const rows = rounded(exact);
        const expected = await wide.answer(rows, "float64");
        subject.agree(
          `the float64 answer from float32 about ${what}`,
          await subject.answer(rows, "float32"),
          expected,
          rows,
          "float32",
        );
      }
    } finally {
      if (!alone) device.dispose();
    }
  },
};

const replay: Check = {
  name: "replays in a captured step as it answers",
  applies: always,
  async run(subject) {
    const batches = [18, 19, 20, 21].map((seed) => someRows(subject.samples(9), 4, seed));
    const on = (rows: Rows) => subject.device.tensor(rows.flat(), { shape: [rows.length, 4], dtype: subject.dtype });
    const key = {};
    const update = (rule: Aggregator) => (rows: Tensor) =>
      aggregate(new Map([[key, denseSamples(rows)]]), rule).get(key) as Tensor;
    const eager = update(subject.make());
    const step = capture(update(subject.make()));
    try {
      for (const [k, rows] of batches.entries()) {
        const called = tidy(() => eager(on(rows)));
        const expected = Array.from(await called.data());
        called.dispose();
        const given = on(rows);
        const replayed = Array.from(await step(given).data());
        given.dispose();
        subject.agree(`the answer of call ${k + 1} from a captured step`, replayed, expected, rows, subject.dtype);
      }
    } finally {
      step.dispose();
    }
  },
};

const withoutRows: Check = {
  name: "forms no N × D buffer",
  applies: (claims) => claims.withoutRows === true,
  async run(subject) {
    const [count, q, p] = [subject.samples(64), 256, 256];
    const bytes = 4 * count * q * p;
    const device = await openDevice(subject.device.name as DeviceName, { memoryLimit: bytes / 2 });
    try {
      const small = subject.on(device);
      const factor = (seed: number, width: number) =>
        device.tensor(someRows(count, width, seed).flat(), { shape: [count, width] });
      await small
        .ask(small.make(), () => outer(factor(22, q), factor(23, p)))
        .catch((error: unknown) => {
          if (!hasCode(error, "MEMORY_LIMIT")) throw error;
          throw new Error(
            `expected less than ${bytes / 2} bytes for gradients [${count}, ${q * p}] of ${bytes} bytes, found that more were asked for: ${error.message}`,
            { cause: error },
          );
        });
    } finally {
      device.dispose();
    }
  },
};

const onDevice = (name: DeviceName): Check => ({
  name: `answers on ${name} as elsewhere`,
  device: name,
  applies: ({ device }) =>
    device === undefined || device === "cpu" ? name !== "cpu" && device !== "cpu" : name === "cpu",
  async run(subject) {
    const other = subject.onOther(name);
    const dtype = subject.dtype === "float64" && other.dtype === "float64" ? "float64" : "float32";
    for (const count of new Set([9, 32].map((count) => subject.samples(count)))) {
      const rows = rounded(someRows(count, 4, 24));
      const expected = await subject.answer(rows, dtype);
      const found = await other.answer(rows, dtype);
      subject.agree(`the answer of ${subject.device.name} in ${dtype} on ${name}`, found, expected, rows, dtype);
    }
  },
});

/** Every check there is, in the order in which a suite runs them. */
export const checks: readonly Check[] = [
  shape,
  finiteAtEveryScale,
  fewSamples(1),
  fewSamples(2),
  identicalRows,
  zeroRows,
  deterministic,
  untouchedInput,
  everyForm,
  permutation,
  translation,
  scale,
  orthogonal,
  coordinatewise,
  breakdown,
  bias,
  accuracy,
  replay,
  withoutRows,
  onDevice("cpu"),
  onDevice("wasm"),
  onDevice("webgpu"),
];

export const checksFor = (claims: Claims): readonly Check[] => checks.filter((check) => check.applies(claims));
