import { signal } from "@preact/signals";
import { hasCode } from "@robgrad/tensor";
import { proxy } from "comlink";
import { Connection } from "../connection.js";
import { save } from "../plots/download.js";
import type { Ranking } from "../worker/own-data/own-data.js";
import type { BadCells } from "../worker/own-data/own-samples.js";
import type { TableSummary } from "../worker/own-data/text-table.js";
import { firstChoice, type OwnChoice } from "./own-choice.js";

/** A person's file, or the example. */
export interface OwnSource {
  readonly name: string;
  /** Null for the example. */
  readonly file: File | null;
}

export const source = signal<OwnSource | null>(null);
export const table = signal<TableSummary | null>(null);
export const choice = signal<OwnChoice>({ label: null, features: [], hidden: 0 });
/** Of the present choice; null before a label is chosen. */
export const bad = signal<BadCells | null>(null);
/** Whether rows with bad cells are to be left out. */
export const leavesOut = signal(false);
export const ranking = signal<Ranking | null>(null);

/** What is being done, and how much of it is. */
export const work = signal<{ readonly what: string; readonly share: number } | null>(null);

/** Why there is nothing to see; null when there is. */
export const dataTrouble = signal<string | null>(null);

let connection: Connection | null = null;
/** What the worker has read. */
let held: OwnSource | null = null;
/** Answers to earlier questions are out of date. */
let generation = 0;

/**
 * Reads a file.
 *
 * @param header  Whether its first row holds names; null to look.
 */
export async function open(next: OwnSource, header: boolean | null = null): Promise<void> {
  stop();
  source.value = next;
  table.value = bad.value = ranking.value = null;
  leavesOut.value = false;
  await working(async (own) => {
    const summary = await read(next, header);
    if (own !== generation) return;
    table.value = summary;
    choice.value = firstChoice(summary);
    bad.value = await lookForBadCells();
  });
}

export async function choose(part: Partial<OwnChoice>): Promise<void> {
  stop();
  choice.value = { ...choice.peek(), ...part };
  bad.value = ranking.value = null;
  await working(async (own) => {
    const found = await lookForBadCells();
    if (own === generation) bad.value = found;
  });
}

export async function rank(): Promise<void> {
  const { label, features, hidden } = choice.peek();
  if (label === null) return;
  ranking.value = null;
  await working(async (own) => {
    await ready();
    const report = shareOf("Training", own);
    report(0);
    const answer = await connection!.ask((engine) => engine.rank({ label, features, hidden }, proxy(report)));
    if (own === generation) ranking.value = answer;
  });
}

/** Saves the whole ranked list. */
export async function exportList(): Promise<void> {
  await working(async () => {
    const list = await connection!.ask((engine) => engine.rankedList());
    save(list, `${source.peek()!.name.replace(/\.\w+$/, "")}-ranked.csv`);
  });
}

/** Ends what is being done, and its worker; the file is read once more when it is needed. */
export function stop(): void {
  if (work.peek() === null) return;
  generation++;
  forget();
  work.value = null;
}

/** The worker, and what only it knows. */
function forget(): void {
  connection?.close();
  connection = held = null;
  ranking.value = null;
}

async function read(next: OwnSource, header: boolean | null): Promise<TableSummary> {
  const own = generation;
  connection ??= new Connection("wasm");
  held = null;
  const report = shareOf("Reading", own);
  report(0);
  const size = next.file?.size ?? 1;
  const summary = await connection.ask((engine) =>
    engine.openTable(
      next.file,
      header,
      proxy((bytes: number) => report(bytes / size)),
    ),
  );
  if (own === generation) held = next;
  return summary;
}

/** The worker with the file, which a worker that ended has taken along. */
async function ready(): Promise<void> {
  if (held !== source.peek()) await read(source.peek()!, table.peek()!.header);
}

async function lookForBadCells(): Promise<BadCells | null> {
  const { label, features } = choice.peek();
  if (label === null) return null;
  await ready();
  return connection!.ask((engine) => engine.badCells({ label, features }));
}

const shareOf = (what: string, own: number) => (share: number) => {
  if (own === generation) work.value = { what, share };
};

async function working(task: (own: number) => Promise<void>): Promise<void> {
  const own = ++generation;
  dataTrouble.value = null;
  try {
    await task(own);
  } catch (error) {
    if (own !== generation) return;
    const { message } = error as Error;
    if (hasCode(error, "WORKER_LOST")) {
      forget();
      dataTrouble.value = `The worker ended; it may have run out of memory. Try once more, or a smaller file. ${message}`;
    } else {
      dataTrouble.value = `${message[0]?.toUpperCase()}${message.slice(1)}.`;
    }
  } finally {
    if (own === generation) work.value = null;
  }
}
