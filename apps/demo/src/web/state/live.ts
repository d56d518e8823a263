import { computed, effect, signal } from "@preact/signals";
import { hasCode, type DeviceName } from "@robgrad/tensor";
import { Connection } from "../connection.js";
import type { Opening } from "../worker/engine.js";
import type { CompetitorFrame } from "../worker/live-run.js";
import { change, dismiss, type Notice, notify, page, runSettings } from "./store.js";

/** The trial that is watched: its rows and rules; null until its worker has begun it. */
export const opening = signal<Opening | null>(null);

/** All competitors at one iteration. */
export interface Frame {
  readonly iteration: number;
  /** In the order of the page; one that trains slowly is still where it was before, or missing. */
  readonly competitors: readonly CompetitorFrame[];
}

/** What the worker has answered; its iteration may lag behind the one asked for. */
export const frame = signal<Frame | null>(null);

/** Microseconds of a step, by competitor; measured after the first step, null where training fails. */
export const timings = signal<ReadonlyMap<string, number | null>>(new Map());

export const playing = signal(false);

/** Why there is nothing to watch; null when there is. */
export const trouble = signal<string | null>(null);

export const finished = computed(() => page.value.step >= page.value.iterations);

let connection: Connection | null = null;

/** The worker of the watched trial, for further questions about it. */
export function liveConnection(): Connection {
  return (connection ??= connected(page.peek().device));
}

const connected = (device: DeviceName): Connection => {
  const own = new Connection(device, (error) => own === connection && fail(error));
  return own;
};

/** Begins anew whenever settings or device change, and fetches what is to be seen. */
export function watch(): void {
  const device = computed(() => page.value.device);
  effect(() => {
    connection?.close();
    connection = connected(device.value);
    begin();
  });
  effect(() => {
    if (runSettings.value !== begun && begun !== null) begin();
  });
  effect(() => {
    if (page.value.step >= 0) void fetchFrame();
  });
  requestAnimationFrame(play);
}

let begun: unknown = null;
/** Answers for an earlier beginning are out of date. */
let generation = 0;
/** The beginning that `opening` tells of. */
let opened = 0;

function begin(): void {
  const settings = runSettings.peek();
  begun = settings;
  const own = ++generation;
  trouble.value = null;
  void liveConnection()
    .ask((engine) => engine.begin(settings))
    .then((answer) => {
      if (own !== generation) return;
      opening.value = answer;
      opened = own;
      timings.value = new Map();
      shown = null;
      for (const [rule, reason] of Object.entries(answer.refusals)) {
        notify({ kind: "error", text: `The rule ${rule} cannot take part. ${reason}` });
      }
      return fetchFrame();
    })
    .catch((error: unknown) => own === generation && fail(error));
}

/** Milliseconds after which competitors are shown one by one. */
const patience = 200;

/** The iteration of the last frame; null when the frame is of an earlier beginning. */
let shown: number | null = null;
let fetching = false;

/** Asks for the iteration to be seen, one question at a time. */
async function fetchFrame(): Promise<void> {
  if (fetching || opened !== generation || trouble.peek() !== null) return;
  fetching = true;
  const own = generation;
  try {
    for (let next = untimed(); shown !== page.peek().step || next !== undefined; next = untimed()) {
      const { step } = page.peek();
      if (shown !== step) {
        await fetchCompetitors(step, own);
        if (own !== generation) break;
        shown = step;
      }
      if (next === undefined) continue;
      const { name } = next;
      const microseconds = await ask((engine) => engine.timing(name));
      if (own !== generation) break;
      timings.value = new Map([...timings.peek(), [name, microseconds]]);
    }
  } catch (error) {
    if (own === generation) fail(error);
  } finally {
    fetching = false;
  }
  if (own !== generation) void fetchFrame();
}

/** Said while a worker computes for long, or has ended without a word. */
const late: Notice = {
  kind: "information",
  text: "The worker has been computing for a quarter of a minute. It may need longer, or have ended.",
  action: { label: "Start another", run: restart },
};

const ask: Connection["ask"] = async (question) => {
  const waiting = setTimeout(() => notify(late), 15_000);
  try {
    return await liveConnection().ask(question);
  } finally {
    clearTimeout(waiting);
    dismiss(late);
  }
};

/** Shows all competitors together where that is soon, and each as soon as it is there where it is not. */
async function fetchCompetitors(step: number, own: number): Promise<void> {
  const names = opening.peek()!.competitors.map(({ name }) => name);
  const earlier = shown === null ? [] : frame.peek()!.competitors;
  const found = new Map(earlier.map((competitor) => [competitor.name, competitor]));
  let published = performance.now();
  for (const [k, name] of names.entries()) {
    const competitor = await ask((engine) => engine.frame(name, step));
    if (own !== generation) return;
    found.set(name, competitor);
    if (k < names.length - 1 && performance.now() - published < patience) continue;
    published = performance.now();
    frame.value = { iteration: step, competitors: names.flatMap((known) => found.get(known) ?? []) };
  }
}

/** A competitor whose steps have not been timed, once there has been a step. */
const untimed = () =>
  page.peek().step === 0 ? undefined : opening.peek()?.competitors.find(({ name }) => !timings.peek().has(name));

let before = 0;
let exact = 0;

/** Moves the iteration on while playing; waits where the worker is behind. */
function play(now: number): void {
  requestAnimationFrame(play);
  const seconds = Math.min(0.1, (now - before) / 1000);
  before = now;
  if (!playing.peek() || trouble.peek() !== null || shown === null) return;
  const { speed, step, iterations } = page.peek();
  if (step >= iterations) {
    playing.value = false;
    return;
  }
  if (fetching) return;
  if (Math.floor(exact) !== step) exact = step;
  // As fast as it goes, a frame shows every tenth iteration, where the curves have their points.
  exact = Math.min(iterations, exact + (speed === 0 ? 10 : speed * seconds));
  if (Math.floor(exact) !== step) change({ step: Math.floor(exact) });
}

/** Says what ended the watching, and what can be done. */
export function fail(error: unknown): void {
  playing.value = false;
  const { message } = error as Error;
  trouble.value = message;
  if (hasCode(error, "WORKER_LOST")) {
    notify({
      kind: "error",
      text: `The worker that trains has ended. ${message}`,
      action: { label: "Start another", run: restart },
    });
  } else if (hasCode(error, "DEVICE_LOST") || hasCode(error, "DEVICE_UNAVAILABLE")) {
    notify({
      kind: "error",
      text: `The GPU cannot be used. ${message}`,
      action: { label: "Go on with WebAssembly", run: () => change({ device: "wasm" }) },
    });
  } else {
    notify({ kind: "error", text: message, action: { label: "Start again", run: restart } });
  }
}

/** A new worker, and the trial from its beginning. */
export function restart(): void {
  connection?.close();
  connection = null;
  begin();
}
