import type { ColumnStatement, ColumnTrace } from "../../kernel/column.js";
import type { Expression } from "../../scalar/expression.js";
import { holdsForAll, joinTeam, type Part, type Team } from "./column-team.js";
import { lengthOf, sliceOf, walk, type Cut, type Vector, type WalkContext } from "./column-walk.js";
import { printFormula, useFunction } from "./formula.js";
import { floatOf, keyOf } from "./order-keys.js";
import { convert, type ShaderBuilder, type Value } from "./shader.js";

const plus = (a: string, b: string) => `${a} + ${b}`;
const least = (a: string, b: string) => `min(${a}, ${b})`;
const most = (a: string, b: string) => `max(${a}, ${b})`;

const registersOf = (list: readonly ColumnStatement[]): number[] =>
  list.flatMap((s) =>
    s.kind === "iterate" ? [s.register, ...registersOf(s.body)] : "register" in s ? [s.register] : [],
  );

/** Prints the totals of a mean or sum of all values without a walk and returns their names; null for other ones. */
export type Shortcut = (
  s: ColumnStatement & { readonly kind: "reduce" },
  register: (k: number, j: number) => string,
) => readonly string[] | null;

/**
 * Prints a column program for the coordinates of one invocation. Registers are variables, one for every coordinate;
 * vectors are walked, not stored. With a team of several rows there is one coordinate and all control flow is uniform.
 */
export class ColumnProgramPrinter {
  readonly #shader: ShaderBuilder;
  readonly #team: Team;
  readonly #count: number;
  readonly #context: WalkContext;
  readonly #shortcut: Shortcut;
  readonly #registers = new Map<number, readonly string[]>();
  readonly #vectors = new Map<number, Vector>();

  /**
   * @param count   Coordinates of an invocation.
   * @param values  Prints the values of a sample for every coordinate.
   */
  constructor(
    shader: ShaderBuilder,
    team: Team,
    count: number,
    values: (n: string) => string[],
    shortcut: Shortcut = () => null,
  ) {
    this.#shortcut = shortcut;
    this.#shader = shader;
    this.#team = team;
    this.#count = count;
    this.#context = {
      shader,
      team,
      values,
      formula: (f, j, element, value) => this.#formula(f, j, (k) => (k === element ? value : this.#register(k, j))),
    };
  }

  /**
   * @param operands  Names of the per-feature operands of every coordinate.
   * @returns         Names of the results.
   */
  print(program: ColumnTrace, samples: number, operands: readonly (readonly string[])[]): string[] {
    operands.forEach((names, k) => this.#registers.set(k, names));
    for (const register of registersOf(program.statements)) {
      const names = this.#each(() => this.#variable("r", "0.0"));
      this.#registers.set(register, names);
    }
    this.#vectors.set(0, { kind: "values", start: 0, length: samples });
    this.#list(program.statements);
    return this.#each((j) => this.#scalar(program.result, j));
  }

  #list(statements: readonly ColumnStatement[]): void {
    for (const s of statements) {
      switch (s.kind) {
        case "map":
          this.#vectors.set(s.vector, { kind: "map", source: this.#vector(s.source), element: s.element, f: s.f });
          break;
        case "sorted": {
          const source = this.#vector(s.source);
          this.#vectors.set(s.vector, { kind: "sorted", source, start: 0, length: lengthOf(source), cut: null });
          break;
        }
        case "slice": {
          const cut = (source: Vector, start: number, length: number) => this.#cut(source, start, length);
          this.#vectors.set(s.vector, sliceOf(this.#vector(s.source), s.start, s.stop - s.start, cut));
          break;
        }
        case "reduce":
          this.#reduce(s);
          break;
        case "quantile":
          this.#quantile(s.register, this.#vector(s.source), s.q);
          break;
        case "let":
          this.#assign(
            s.register,
            this.#each((j) => this.#scalar(s.f, j)),
          );
          break;
        case "iterate":
          this.#iterate(s);
      }
    }
  }

  #reduce(s: ColumnStatement & { readonly kind: "reduce" }): void {
    const vector = this.#vector(s.source);
    const totals = this.#shortcut(s, (k, j) => this.#register(k, j)) ?? this.#walked(s, vector);
    const length = s.monoid === "mean" ? ` / f32(${this.#shader.size(lengthOf(vector))})` : "";
    this.#assign(
      s.register,
      totals.map((total) => total + length),
    );
  }

  /** What the elements of a vector come to, one after another. */
  #walked(s: ColumnStatement & { readonly kind: "reduce" }, vector: Vector): string[] {
    const sums = s.monoid === "mean" || s.monoid === "sum";
    const start = sums ? "0.0" : `${s.monoid === "max" ? "-" : ""}${useFunction(this.#shader, "infinity")}()`;
    const totals = this.#each(() => this.#variable("a", start));
    let parts = totals;
    const extremum = sums ? "" : useFunction(this.#shader, s.monoid === "max" ? "maximum" : "minimum");
    const block = {
      open: () => (parts = this.#each(() => this.#variable("b", "0.0"))),
      close: () => this.#each((j) => this.#line(`${totals[j] as string} += ${parts[j] as string};`)),
    };
    walk(
      this.#context,
      vector,
      ({ values, weights }) => {
        values.forEach((value, j) => {
          const weight = weights?.[j];
          if (weight !== undefined) this.#line(`if (${weight} > 0u) {`);
          const term = this.#context.formula(s.f, j, s.element, value);
          const part = parts[j] as string;
          if (!sums) this.#line(`${part} = ${extremum}(${part}, ${term});`);
          else if (weight === undefined) this.#line(`${part} += ${term};`);
          else this.#line(`${part} += f32(${weight}) * ${term}; `);
          if (weight !== undefined) this.#line("}");
        });
      },
      sums ? block : undefined,
    );
    const join = sums ? plus : (a: string, b: string) => `${extremum}(${a}, ${b})`;
    return totals.map((text) => joinTeam(this.#shader, this.#team, [{ type: "f32", text, join }])[0] as string);
  }

  /** NumPy's linear interpolation between neighbours. */
  #quantile(register: number, vector: Vector, q: number): void {
    const shader = this.#shader;
    const position = q * (lengthOf(vector) - 1);
    const lower = Math.floor(position);
    const place = shader.size(lower);
    const [keys] = this.#select(vector, [place]) as [string[]];
    // The next one is the same number where it occurs often enough, else the least above it.
    const names = this.#each(() => ["0u", "0xffffffffu", "0u"].map((start) => this.#variable("c", start)));
    walk(this.#context, vector, ({ values, weights }) => {
      values.forEach((value, j) => {
        const [count, next, last] = names[j] as [string, string, string];
        const weight = weights?.[j] ?? "1u";
        const key = this.#let("u32", keyOf(shader, value));
        const above = `${key} > ${keys[j] as string}`;
        this.#line(`if (${weight} > 0u) {`);
        this.#line(`${count} += select(${weight}, 0u, ${above});`);
        this.#line(`${next} = min(${next}, select(0xffffffffu, ${key}, ${above}));`);
        this.#line(`${last} = max(${last}, ${key});`);
        this.#line("}");
      });
    });
    const rest = shader.constant(position - lower, "f32").text;
    const exact = position === lower;
    const half = position - lower === 0.5;
    const results = names.map((parts, j) => {
      const joins = [plus, least, most];
      const whole = joinTeam(
        shader,
        this.#team,
        parts.map((text, k) => ({ type: "u32", text, join: joins[k] as Part["join"] })),
      );
      const [count, next, last] = whole as [string, string, string];
      const found = keys[j] as string;
      const low = this.#let("f32", floatOf(shader, found));
      const nan = floatOf(shader, `max(${last}, ${found})`);
      if (exact) return `select(${low}, ${nan}, ${last} == 0xffffffffu)`;
      const same = this.#let("bool", `${count} > ${place} + 1u || ${next} == ${found}`);
      const high = this.#let("f32", floatOf(shader, `select(${next}, ${found}, ${same})`));
      const between = half ? `${low} * 0.5 + ${high} * 0.5` : `${low} + ${rest} * (${high} - ${low})`;
      const number = this.#let("f32", `select(${between}, ${low}, ${same})`);
      return `select(${number}, ${nan}, ${last} == 0xffffffffu)`;
    });
    this.#assign(register, results);
  }

  /** What lies from place `start` of the sorted values on. */
  #cut(source: Vector, start: number, length: number): Cut {
    const shader = this.#shader;
    const first = shader.size(start);
    const last = this.#let("u32", `${first} + ${shader.size(length)} - 1u`);
    const [low, high] = this.#select(source, [first, last]) as [string[], string[]];
    const names = this.#each(() => ["0u", "0u"].map((zero) => this.#variable("c", zero)));
    walk(this.#context, source, ({ values, weights }) => {
      values.forEach((value, j) => {
        const [reached, below] = names[j] as [string, string];
        const weight = weights?.[j] ?? "1u";
        const key = this.#let("u32", keyOf(shader, value));
        this.#line(`${reached} += select(0u, ${weight}, ${key} <= ${low[j] as string});`);
        this.#line(`${below} += select(0u, ${weight}, ${key} < ${high[j] as string});`);
      });
    });
    const counts = names.map((parts, j) => {
      const whole = joinTeam(
        shader,
        this.#team,
        parts.map((text) => ({ type: "u32", text, join: plus })),
      );
      const [reached, below] = whole as [string, string];
      const same = `${low[j] as string} == ${high[j] as string}`;
      return {
        lows: this.#let("u32", `min(${reached}, ${last} + 1u) - ${first}`),
        highs: this.#let("u32", `select(${last} + 1u - ${below}, 0u, ${same})`),
      };
    });
    return { low, high, lows: counts.map(({ lows }) => lows), highs: counts.map(({ highs }) => highs) };
  }

  /**
   * Keys of the numbers at some places (u32) of the sorted values, for every coordinate: two bits of them at a time,
   * by counting what lies below the three numbers that they could be.
   */
  #select(vector: Vector, places: readonly string[]): string[][] {
    const shader = this.#shader;
    const found = places.map(() => this.#each(() => this.#variable("k", "0u")));
    const shift = shader.name("h");
    this.#line(`for (var ${shift} = 32u; ${shift} > 0u; ) {`);
    this.#line(`${shift} -= 2u;`);
    const digits = [1, 2, 3];
    const tries = found.map((keys) =>
      keys.map((key) => digits.map((digit) => this.#let("u32", `${key} | (${digit}u << ${shift})`))),
    );
    const counts = tries.map((list) => list.map((three) => three.map(() => this.#variable("c", "0u"))));
    walk(this.#context, vector, ({ values, weights }) => {
      values.forEach((value, j) => {
        const key = this.#let("u32", keyOf(shader, value));
        tries.forEach((list, at) =>
          list[j]?.forEach((tried, digit) =>
            this.#line(
              `${counts[at]?.[j]?.[digit] as string} += select(0u, ${weights?.[j] ?? "1u"}, ${key} < ${tried});`,
            ),
          ),
        );
      });
    });
    counts.forEach((list, at) =>
      list.forEach((three, j) => {
        const whole = joinTeam(
          shader,
          this.#team,
          three.map((text) => ({ type: "u32", text, join: plus })),
        );
        const few = whole.map((count) => `select(0u, 1u, ${count} <= ${places[at] as string})`);
        this.#line(`${found[at]?.[j] as string} |= (${few.join(" + ")}) << ${shift};`);
      }),
    );
    this.#line("}");
    return found;
  }

  /** A coordinate that has stopped keeps its state while others go on. */
  #iterate(s: ColumnStatement & { readonly kind: "iterate" }): void {
    const shader = this.#shader;
    this.#assign(
      s.register,
      this.#each((j) => this.#scalar(s.initial, j)),
    );
    const limits = this.#each((j) => this.#scalar(s.tolerance, j));
    const stopped = this.#each(() => this.#variable("stop", "false"));
    const turn = shader.name("turn");
    const uniform = this.#team.rows > 1 || this.#team.together === true;
    this.#line(`for (var ${turn} = 0u; ${turn} < ${shader.size(s.maximum)}; ${turn}++) {`);
    this.#list(s.body);
    const nexts = this.#each((j) => this.#scalar(s.next, j));
    nexts.forEach((next, j) => {
      const [state, stop] = [this.#register(s.register, j), stopped[j] as string];
      const change = this.#let("f32", `abs(${next} - ${state})`);
      this.#line(`${state} = select(${next}, ${state}, ${stop});`);
      this.#line(`${stop} = ${stop} || ${change} <= ${limits[j] as string};`);
    });
    const all = stopped.join(" & ");
    this.#line(`if (${uniform ? holdsForAll(shader, all) : all}) { break; }`);
    this.#line("}");
  }

  #assign(register: number, texts: readonly string[]): void {
    texts.forEach((text, j) => this.#line(`${this.#register(register, j)} = ${text};`));
  }

  /** The name of a formula of registers for coordinate j. */
  #scalar(f: Expression, j: number): string {
    return this.#formula(f, j, (k) => this.#register(k, j));
  }

  #formula(f: Expression, _j: number, name: (register: number) => string): string {
    const value = printFormula(this.#shader, f, (k): Value => ({ type: "f32", text: name(k) }));
    return this.#let("f32", convert(value, "f32"));
  }

  #register(k: number, j: number): string {
    return this.#registers.get(k)?.[j] as string;
  }

  #vector(k: number): Vector {
    return this.#vectors.get(k) as Vector;
  }

  #each<T>(make: (j: number) => T): T[] {
    return Array.from({ length: this.#count }, (_, j) => make(j));
  }

  #variable(prefix: string, start: string): string {
    const name = this.#shader.name(prefix);
    this.#line(`var ${name} = ${start};`);
    return name;
  }

  #let(type: "f32" | "u32" | "bool", text: string): string {
    return this.#shader.let({ type, text }).text;
  }

  #line(text: string): void {
    this.#shader.line(text);
  }
}
