import { computed, effect, signal } from "@preact/signals";
import type { RunSettings } from "../run-settings.js";
import { readAddress, writeAddress, type PageState } from "./address.js";

/** Something the person should know. */
export interface Notice {
  readonly kind: "error" | "information";
  readonly text: string;
  /** What can be done about it. */
  readonly action?: { readonly label: string; readonly run: () => void };
}

const opened = readAddress(location.hash);

export const page = signal<PageState>(opened.state);

export const notices = signal<readonly Notice[]>(
  opened.refusals.map((refusal) => ({ kind: "error", text: `In the address, ${refusal}. The usual value is shown.` })),
);

/** Changes part of the state. */
export function change(part: Partial<PageState>): void {
  page.value = { ...page.peek(), ...part };
}

/** Shows a notice, once. */
export function notify(notice: Notice): void {
  if (!notices.peek().some(({ text }) => text === notice.text)) notices.value = [...notices.peek(), notice];
}

export function dismiss(notice: Notice): void {
  notices.value = notices.peek().filter((other) => other !== notice);
}

/** What a watched trial follows from: the same object as long as nothing of it changes. */
export const runSettings = (() => {
  let last: RunSettings | null = null;
  return computed<RunSettings>(() => {
    const { seed, trial, fraction, factor, protocol, iterations, competitors, moved } = page.value;
    const next = { seed, trial, fraction, factor, protocol, iterations, competitors, moved };
    if (last === null || JSON.stringify(last) !== JSON.stringify(next)) last = next;
    return last;
  });
})();

/** Keeps the address up to date, and follows it when somebody edits it or goes back. */
export function followAddress(): void {
  let pending = 0;
  effect(() => {
    const address = writeAddress(page.value);
    clearTimeout(pending);
    // Browsers limit how often an address may change.
    pending = window.setTimeout(() => history.replaceState(null, "", address === "" ? "#" : `#${address}`), 250);
  });
  addEventListener("hashchange", () => {
    const { state, refusals } = readAddress(location.hash);
    page.value = state;
    for (const refusal of refusals) notify({ kind: "error", text: `In the address, ${refusal}.` });
  });
}
