import { computed, effect, signal } from "@preact/signals";
import { hasCode } from "@robgrad/tensor";
import type { MovedRow } from "../run-settings.js";
import type { Opening } from "../worker/engine.js";
import type { Look, RuleInfluence, StepQuestion } from "../worker/inspection.js";
import { fail, frame, liveConnection, opening, playing } from "./live.js";
import { page } from "./store.js";

/** Asked whether they train or not, so that a row that is dragged away meets a mean, a soft truncation and a median of means. */
const always = ["vanilla", "soft-truncation@all", "median-of-means-jointly"];

/** The step that is looked into. */
interface Step extends StepQuestion {
  readonly opening: Opening;
}

interface Found<T> {
  readonly step: Step;
  readonly rules: readonly string[];
  readonly value: T;
}

/** Rules whose weights and answers are shown. */
export const shownRules = computed(() => {
  const training = opening.value?.competitors.map(({ name }) => name) ?? [];
  return [...new Set([...training, ...always])];
});

/** The competitor whose network is looked into: the last one that trains unless the page says. */
export const inspected = computed(() => {
  const names = opening.value?.competitors.map(({ name }) => name) ?? [];
  const wanted = page.value.network;
  if (wanted !== null && names.includes(wanted)) return wanted;
  const failed = new Set(frame.value?.competitors.filter(({ failure }) => failure !== null).map(({ name }) => name));
  return names.filter((name) => !failed.has(name)).at(-1) ?? names[0] ?? null;
});

/** The row that is looked at: the first displaced one unless the page says. */
export const chosenRow = computed(() => {
  const displaced = opening.value?.scene.train.findIndex((row) => row.displaced) ?? -1;
  return page.value.row ?? Math.max(0, displaced);
});

/** Where the chosen row has been dragged to; null while it is where it trains. */
export const placed = signal<MovedRow | null>(null);

/** Norms, weights and answers at the step; null until they are known. */
export const look = signal<Found<Look> | null>(null);

/** The same with the chosen row where its flower is, and where it has been dragged to. */
export const atHome = signal<Found<Look & { readonly row: number }> | null>(null);
export const atPlaced = signal<Found<Look & { readonly at: MovedRow }> | null>(null);

/** Influence of all rows, by rule, null for a rule that cannot do without a row; computed while training pauses. */
const influences = signal<Found<ReadonlyMap<string, RuleInfluence | null>> | null>(null);

/** Why there is nothing to see; null when there is. */
export const refusal = signal<string | null>(null);

/** Milliseconds between looks while training goes on, which they hold up. */
const pause = 150;

const present = computed<Step | null>(() => {
  const [begun, competitor, iteration] = [opening.value, inspected.value, frame.value?.iteration];
  return begun === null || competitor === null || iteration === undefined
    ? null
    : { opening: begun, competitor, iteration };
});

const isOf = (found: Found<unknown> | null, step: Step, rules: readonly string[]): boolean =>
  found !== null &&
  found.step.opening === step.opening &&
  found.step.competitor === step.competitor &&
  found.step.iteration === step.iteration &&
  found.rules.join(";") === rules.join(";");

/** The influence of all rows on a rule's answer at the step that is seen; undefined until it is known, null if it has none. */
export const influenceOf = (rule: string): RuleInfluence | null | undefined => {
  const step = present.value;
  return step !== null && isOf(influences.value, step, []) ? influences.value!.value.get(rule) : undefined;
};

/** Answers with the chosen row where it is, and where its flower is; null until both are known. */
export const answers = computed(() => {
  const [step, rules] = [present.value, shownRules.value];
  const now = placed.value === null ? look.value : atPlaced.value;
  if (step === null || !isOf(now, step, rules) || !isOf(atHome.value, step, rules)) return null;
  const home = atHome.value!.value;
  return home.row === chosenRow.value ? { iteration: step.iteration, now: now!.value, home } : null;
});

const isLost = (error: unknown) => hasCode(error, "WORKER_LOST") || hasCode(error, "DEVICE_LOST");

/** Looks into every step that is seen, until the function it returns is called. */
export function inspect(): () => void {
  let ended = false;
  let asking = false;
  let lastLook = 0;
  let timer = 0;

  /** What to ask next; null when all is known or has to wait. */
  const next = (): (() => Promise<void>) | null => {
    const [step, rules] = [present.peek(), shownRules.peek()];
    if (ended || step === null) return null;
    const { competitor, iteration } = step;
    const ask = (moved: MovedRow | null) =>
      liveConnection().ask((engine) => engine.look({ competitor, iteration, rules, moved }));
    const row = chosenRow.peek();
    const at = placed.peek();
    if (!isOf(look.peek(), step, rules)) {
      const wait = playing.peek() ? lastLook + pause - performance.now() : 0;
      if (wait > 0) {
        clearTimeout(timer);
        timer = window.setTimeout(() => void fetchAll(), wait);
        return null;
      }
      return async () => {
        const value = await ask(null);
        lastLook = performance.now();
        if (value !== null) look.value = { step, rules, value };
        else throw new Error("This rule's training has ended before this step.");
      };
    }
    if (at !== null && !(isOf(atPlaced.peek(), step, rules) && atPlaced.peek()!.value.at === at)) {
      return async () => {
        const value = await ask(at);
        if (value !== null) atPlaced.value = { step, rules, value: { ...value, at } };
      };
    }
    if (playing.peek() && at === null) return null;
    if (!(isOf(atHome.peek(), step, rules) && atHome.peek()!.value.row === row)) {
      return async () => {
        const [x, y] = step.opening.scene.train[row]!.from;
        const value = await ask({ row, x, y });
        if (value !== null) atHome.value = { step, rules, value: { ...value, row } };
      };
    }
    const known = isOf(influences.peek(), step, [])
      ? influences.peek()!.value
      : new Map<string, RuleInfluence | null>();
    const rule = playing.peek() ? undefined : rules.find((name) => !known.has(name) && !failed(name));
    if (rule === undefined) return null;
    return async () => {
      const found = await liveConnection()
        .ask((engine) => engine.influence(rule, { competitor, iteration }))
        .catch((error: unknown) => {
          if (isLost(error) || !hasCode(error)) throw error;
          return null;
        });
      influences.value = { step, rules: [], value: new Map([...known, [rule, found]]) };
    };
  };

  const failed = (name: string) =>
    look.peek()?.value.rules.some(({ rule, failure }) => rule === name && failure !== null) ?? false;

  const fetchAll = async () => {
    if (asking) return;
    asking = true;
    const connection = liveConnection();
    const begun = opening.peek();
    try {
      for (let question = next(); question !== null; question = next()) {
        await question();
        refusal.value = null;
      }
    } catch (error) {
      // What another connection or trial would have answered is of no interest any more.
      if (ended || connection !== liveConnection() || begun !== opening.peek()) setTimeout(() => void fetchAll());
      else if (isLost(error)) fail(error);
      else refusal.value = (error as Error).message;
    } finally {
      asking = false;
    }
  };

  const stop = effect(() => {
    // Read for its changes.
    void [present.value, shownRules.value, chosenRow.value, placed.value, playing.value];
    refusal.value = null;
    void fetchAll();
  });
  return () => {
    ended = true;
    clearTimeout(timer);
    stop();
    placed.value = null;
  };
}
