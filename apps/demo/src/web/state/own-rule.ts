import { effect, signal } from "@preact/signals";
import { hasCode } from "@robgrad/tensor";
import { readCompetitor, writeFormula, type FormulaText } from "../competitor-text.js";
import { Connection } from "../connection.js";
import type { FormulaCheck } from "../worker/formula-check.js";
import { isFormula, mostCompetitors } from "./address.js";
import { change, page } from "./store.js";

/** What the last formula that was looked at is; null before the first. */
export const formulaCheck = signal<FormulaCheck | null>(null);

/** Why a formula could not be looked at; null when it could. */
export const formulaTrouble = signal<string | null>(null);

/** Whether the rule is to be trained beside the others. */
export const takesPart = signal(true);

/** Milliseconds without a key before a formula is looked at, and that looking may take. */
const [pause, patience] = [300, 10_000];

export const ownRule = (): FormulaText => readCompetitor(page.value.own) as FormulaText;

export function changeOwnRule(part: Partial<FormulaText>): void {
  change({ own: writeFormula({ ...(readCompetitor(page.peek().own) as FormulaText), ...part }) });
}

/** Whether a formula may be trained: it is an influence function, bounded unless somebody wants it otherwise. */
export const isTrainable = ({ text, found }: FormulaCheck): boolean =>
  found !== null && (found.own.bound < Infinity || !(readCompetitor(text) as FormulaText).bounded);

/**
 * Looks at the rule whenever it changes, in a worker of its own, and lets it take part in the trial once it may.
 *
 * @returns  Ends it.
 */
export function followOwnRule(): () => void {
  let connection: Connection | null = null;
  let waiting = 0;
  let latest = "";
  const look = async (text: string) => {
    const asked = (connection ??= new Connection("cpu"));
    const tooLong = window.setTimeout(() => asked.close(), patience);
    try {
      const answer = await asked.ask((engine) => engine.formula(text));
      if (text === latest) show(answer);
    } catch (error) {
      if (connection === asked) connection = null;
      if (text !== latest) return;
      formulaCheck.value = null;
      formulaTrouble.value = hasCode(error, "WORKER_LOST")
        ? "The worker that looks at formulas ended, or took too long. Change the formula to start another."
        : (error as Error).message;
    } finally {
      clearTimeout(tooLong);
    }
  };
  const stop = effect(() => {
    const { own } = page.value;
    clearTimeout(waiting);
    latest = own;
    if (own === formulaCheck.peek()?.text) return;
    waiting = window.setTimeout(() => void look(own), formulaCheck.peek() === null ? 0 : pause);
  });
  const stopJoining = effect(() => join(formulaCheck.value, takesPart.value));
  return () => {
    stop();
    stopJoining();
    clearTimeout(waiting);
    latest = "";
    connection?.close();
  };
}

function show(answer: FormulaCheck): void {
  formulaTrouble.value = null;
  formulaCheck.value = answer;
}

/** Puts the rule among the competitors, in the place of an earlier one of one's own, or takes it away. */
function join(check: FormulaCheck | null, wanted: boolean): void {
  const { competitors } = page.peek();
  const place = competitors.findIndex(isFormula);
  if (!wanted) {
    const others = competitors.filter((text) => !isFormula(text));
    if (place >= 0 && others.length > 0) change({ competitors: others });
    return;
  }
  if (check === null || !isTrainable(check) || competitors.includes(check.text)) return;
  if (place >= 0) change({ competitors: competitors.map((text, k) => (k === place ? check.text : text)) });
  else if (competitors.length < mostCompetitors) change({ competitors: [...competitors, check.text] });
}
