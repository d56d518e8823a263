import { binary, integer, type Address, type Code, type FunctionBody, type Variable } from "./assembler.js";

/**
 * Where an operand starts: a constant address, or one that code pushes (a parameter). Printers of kernels take
 * addresses in this form, so that the same printer serves an eager call and a captured step.
 */
export type Start = Address;

/** One loop: its extent and, for every operand, the bytes between neighbours. */
export interface Level {
  readonly extent: number;
  readonly strides: readonly number[];
}

/**
 * Operands that move together through loops. Those with constant addresses and equal strides share one induction
 * variable and differ in the offset of their instructions; those with parameters have one each.
 */
export class Cursors {
  readonly #f: FunctionBody;
  readonly #variables: (Variable | null)[] = [];
  readonly #offsets: number[] = [];
  /** For each distinct variable, one operand that moves it. */
  readonly #movers: number[] = [];

  /** @param levels  All levels that will be walked, to know which operands move alike. */
  constructor(f: FunctionBody, starts: readonly Start[], levels: readonly Level[]) {
    this.#f = f;
    const shared = new Map<string, Variable | null>();
    starts.forEach(({ base, offset }, k) => {
      const strides = levels.map((level) => (level.extent > 1 ? level.strides[k] : 0));
      const still = strides.every((stride) => stride === 0);
      if (base === null) {
        const key = strides.join();
        let variable = shared.get(key);
        if (variable === undefined) {
          variable = still ? null : f.variable("i32");
          shared.set(key, variable);
          if (variable !== null) {
            f.set(variable, integer(0));
            this.#movers.push(k);
          }
        }
        this.#variables.push(variable);
        this.#offsets.push(offset);
      } else {
        const variable = f.variable("i32");
        f.set(variable, base);
        this.#variables.push(variable);
        this.#offsets.push(offset);
        if (!still) this.#movers.push(k);
      }
    });
  }

  /** Where operand k is now. */
  address(k: number): Address {
    const variable = this.#variables[k] as Variable | null;
    return { base: variable === null ? null : variable.get, offset: this.#offsets[k] as number };
  }

  /** The number an index operand is at: its address, which starts at 0 and moves by 1. */
  value(k: number): Code {
    const { base, offset } = this.address(k);
    if (base === null) return integer(offset);
    return offset === 0 ? base : binary("i32.add", base, integer(offset));
  }

  /** Moves every operand by its own number of bytes. */
  move(bytes: (k: number) => number): void {
    for (const k of this.#movers) this.#f.advance(this.#variables[k] as Variable, bytes(k));
  }
}

/** How far `nest` over these levels leaves operand k from where it began. */
export function displacement(levels: readonly Level[], k: number): number {
  const [first] = levels;
  return first === undefined || first.extent === 0 ? 0 : first.extent * (first.strides[k] as number);
}

/** Nested loops, outermost first. Afterwards operands stand {@link displacement} further on; `inner` says what the body leaves. */
export function nest(
  f: FunctionBody,
  cursors: Cursors,
  levels: readonly Level[],
  body: () => void,
  inner: (k: number) => number = () => 0,
): void {
  const [first, ...rest] = levels;
  if (first === undefined) {
    body();
    return;
  }
  const left = (k: number) => (rest.length === 0 ? inner(k) : displacement(rest, k));
  f.repeat(first.extent, () => {
    nest(f, cursors, rest, body, inner);
    cursors.move((k) => (first.strides[k] as number) - left(k));
  });
}

/** A loop in steps of `lanes`: the body once in a loop for whole vectors, once for what is left. */
export function laneLoop(
  f: FunctionBody,
  cursors: Cursors,
  level: Level,
  lanes: number,
  body: (count: number) => void,
): void {
  const whole = Math.floor(level.extent / lanes);
  f.repeat(whole, () => {
    f.scope(() => body(lanes));
    cursors.move((k) => lanes * (level.strides[k] as number));
  });
  const left = level.extent - whole * lanes;
  if (left > 0) f.scope(() => body(left));
}

export function laneDisplacement(level: Level, lanes: number, k: number): number {
  return Math.floor(level.extent / lanes) * lanes * (level.strides[k] as number);
}
