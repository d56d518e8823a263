import { codedError, DeviceRandom, type Cell } from "@robgrad/tensor";
import type { Parameter } from "../parameter.js";

/** What has cells with names, such as a link. */
export interface HasCells {
  namedParameters?(): Iterable<readonly [string, Parameter]>;
  namedCells?(): Iterable<readonly [string, Cell]>;
}

/** What can be saved: a link, a generator, the state of an optimizer, a cell, or several under names of their own. */
export type Saved = HasCells | DeviceRandom | Cell | ReadonlyMap<string, Cell> | { readonly [name: string]: Saved };

const isCell = (value: object): value is Cell => "assign" in value && "dtype" in value;

/** Every cell of what can be saved, with its path. */
export function namedCells(subject: string, saved: Saved): ReadonlyMap<string, Cell> {
  const found = new Map<string, Cell>();
  const add = (path: string, cell: Cell) => {
    if (found.has(path)) throw codedError("BAD_ARGUMENT", `${subject}: expected every name once, found ${path} twice`);
    found.set(path, cell);
  };
  const visit = (path: string, value: unknown): void => {
    const below = (name: string) => (path === "" ? name : `${path}.${name}`);
    if (typeof value !== "object" || value === null) {
      throw codedError(
        "BAD_ARGUMENT",
        `${subject}: expected links, generators, cells and states of optimizers, found ${typeof value}${path && ` under ${path}`}`,
      );
    }
    if (isCell(value)) return add(path, value);
    if (value instanceof DeviceRandom) {
      add(below("key"), value.keyCell);
      add(below("draws"), value.counter);
      return;
    }
    if (value instanceof Map) {
      for (const [name, cell] of value as ReadonlyMap<string, unknown>) visit(below(name), cell);
      return;
    }
    const { namedParameters, namedCells: cells } = value as HasCells;
    if (typeof namedParameters !== "function" && typeof cells !== "function") {
      for (const [name, item] of Object.entries(value)) visit(below(name), item);
      return;
    }
    for (const [name, parameter] of namedParameters?.call(value) ?? []) add(below(name), parameter.cell);
    for (const [name, cell] of cells?.call(value) ?? []) add(below(name), cell);
  };
  visit("", saved);
  return found;
}

/** The names of cells in a file. */
export function renamed(
  subject: string,
  cells: ReadonlyMap<string, Cell>,
  rename: (path: string) => string,
): ReadonlyMap<string, Cell> {
  const found = new Map<string, Cell>();
  for (const [path, cell] of cells) {
    const name = rename(path);
    if (typeof name !== "string" || name === "__metadata__" || found.has(name)) {
      throw codedError(
        "BAD_ARGUMENT",
        `${subject}: expected a name of its own for ${path}, found ${JSON.stringify(name)}`,
      );
    }
    found.set(name, cell);
  }
  return found;
}
