import type { DeviceName } from "@robgrad/tensor";
import { contaminationKinds, type ContaminationKind } from "../breakdown-cell.js";
import { readCompetitor } from "../competitor-text.js";
import type { MovedRow, RunSettings } from "../run-settings.js";

export const viewNames = ["watch", "influence", "breakdown", "own-rule", "own-data", "findings"] as const;
export type ViewName = (typeof viewNames)[number];

/** What an address tells of the page: whoever opens it sees the same. */
export interface PageState extends RunSettings {
  readonly view: ViewName;
  readonly device: DeviceName;
  /** Steps a second while playing; 0 for as fast as it goes. */
  readonly speed: number;
  /** The iteration that is shown. */
  readonly step: number;
  /** The training row that is looked at; null for none. */
  readonly row: number | null;
  /** The rule of one's own that is written, as `readCompetitor` reads it. */
  readonly own: string;
  /** Of the breakdown lab: what is spoilt, in which share of the rows, how badly, and the steps of a trial. */
  readonly kind: ContaminationKind;
  readonly share: number;
  readonly strength: number;
  readonly steps: number;
  /** Of the study that is run for its findings. */
  readonly trials: number;
  /** The competitor whose network is looked into; null for the last. */
  readonly network: string | null;
  /** What points and the ranked list show. */
  readonly show: "weight" | "influence";
}

export const firstState: PageState = {
  view: "watch",
  seed: 0,
  trial: 0,
  fraction: 0.02,
  factor: 1e4,
  protocol: "code",
  iterations: 1000,
  competitors: ["vanilla", "soft-truncation-equal-scale", "median-of-means-jointly"],
  moved: [],
  device: "wasm",
  speed: 100,
  step: 0,
  row: null,
  own: "psi(tanh(x)):of=norms,scale=1@all",
  kind: "displaced",
  share: 0.05,
  strength: 1e4,
  steps: 600,
  trials: 20,
  network: null,
  show: "weight",
};

/** How one part of the state is written. */
interface Field<T> {
  readonly expected: string;
  /** Undefined for a text that is none. */
  readonly read: (text: string) => T | undefined;
  readonly write: (value: T) => string;
}

const whole = (low: number, high: number): Field<number> => ({
  expected: `a whole number from ${low} to ${high}`,
  read: (text) => (/^\d+$/.test(text) && Number(text) >= low && Number(text) <= high ? Number(text) : undefined),
  write: String,
});

const real = (low: number, high: number): Field<number> => ({
  expected: `a number from ${low} to ${high}`,
  read: (text) => (text.trim() !== "" && Number(text) >= low && Number(text) <= high ? Number(text) : undefined),
  write: String,
});

const oneOf = <T extends string>(names: readonly T[]): Field<T> => ({
  expected: `one of ${names.join(", ")}`,
  read: (text) => names.find((name) => name === text),
  write: String,
});

const separator = ";";

/** Most rules side by side. */
export const mostCompetitors = 6;

/** What can be set, with its bounds. */
export const fields: { readonly [K in keyof PageState]: Field<PageState[K]> } = {
  view: oneOf(viewNames),
  seed: whole(0, Number.MAX_SAFE_INTEGER),
  trial: whole(0, 9999),
  fraction: real(0, 0.5),
  factor: real(0.1, 1e6),
  protocol: oneOf(["code", "text"]),
  iterations: whole(1, 10000),
  competitors: {
    expected: `1 to ${mostCompetitors} rules, separated by ${separator}`,
    read: (text) => {
      const rules = [...new Set(text.split(separator).filter((rule) => rule !== ""))];
      return rules.length >= 1 && rules.length <= mostCompetitors && rules.every(isRule) ? rules : undefined;
    },
    write: (rules) => rules.join(separator),
  },
  moved: {
    expected: "rows with coordinates, row,x,y separated by ;",
    read: (text) => {
      const rows = text.split(separator).map((row) => row.split(",").map(Number));
      const good = rows.every(([row = NaN, x = NaN, y = NaN, ...more]) => {
        return Number.isInteger(row) && row >= 0 && row < 100 && Number.isFinite(x + y) && more.length === 0;
      });
      return good ? rows.map(([row, x, y]): MovedRow => ({ row: row!, x: x!, y: y! })) : undefined;
    },
    write: (rows) => rows.map(({ row, x, y }) => `${row},${x},${y}`).join(separator),
  },
  device: oneOf<DeviceName>(["wasm", "webgpu"]),
  speed: whole(0, 10000),
  step: whole(0, 10000),
  row: {
    expected: "a training row from 0 to 99",
    read: (text) => (/^\d{1,2}$/.test(text) ? Number(text) : undefined),
    write: String,
  },
  own: {
    expected: "psi(formula)@group or rho(formula)@group",
    read: (text) => (isRule(text) && isFormula(text) ? text : undefined),
    write: String,
  },
  kind: oneOf(contaminationKinds),
  share: real(0, 0.5),
  strength: real(0.1, 1e6),
  steps: whole(1, 5000),
  trials: whole(1, 1000),
  network: {
    expected: "one of the rules",
    read: (text) => (isRule(text) ? text : undefined),
    write: String,
  },
  show: oneOf(["weight", "influence"]),
};

/** Whether a competitor's text is a rule of one's own. */
export const isFormula = (text: string): boolean => /^(psi|rho)\(/.test(text);

function isRule(text: string): boolean {
  try {
    return readCompetitor(text) !== null;
  } catch {
    return false;
  }
}

const names = Object.keys(fields) as (keyof PageState)[];

/**
 * The state that an address tells, and what in it could not be read; that is as in `firstState`.
 *
 * @param hash  What follows the address, with or without #.
 * @example     readAddress("#seed=3").state.seed   // 3
 */
export function readAddress(hash: string): { readonly state: PageState; readonly refusals: readonly string[] } {
  const entries = new URLSearchParams(hash.replace(/^#/, ""));
  const refusals: string[] = [];
  const found: Partial<Record<keyof PageState, unknown>> = {};
  for (const [name, text] of entries) {
    const known = names.find((field) => field === name);
    const value = known === undefined ? undefined : fields[known].read(text);
    if (known !== undefined && value !== undefined) found[known] = value;
    else if (known === undefined) refusals.push(`${name}: expected ${names.join(", ")}`);
    else refusals.push(`${name}: expected ${fields[known].expected}, found ${JSON.stringify(text)}`);
  }
  const state = { ...firstState, ...found } as PageState;
  return { state: { ...state, step: Math.min(state.step, state.iterations) }, refusals };
}

/**
 * What differs from `firstState`, as the part of an address behind #.
 *
 * @example  writeAddress({ ...firstState, seed: 3 })   // "seed=3"
 */
export function writeAddress(state: PageState): string {
  const entries = new URLSearchParams();
  const write = <K extends keyof PageState>(name: K) => {
    const text = fields[name].write(state[name]);
    if (state[name] !== null && text !== fields[name].write(firstState[name])) entries.set(name, text);
  };
  names.forEach(write);
  return entries.toString();
}
