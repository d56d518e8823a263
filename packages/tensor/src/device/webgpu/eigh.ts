import type { View } from "../../kernel/kernel.js";
import { useFunction } from "./formula.js";
import { convert, type PrintContext, type ShaderBuilder, type Stage, type ViewText } from "./shader.js";

/** As on the cpu device: rounds of all pairs until none has to be turned. */
const mostSweeps = 60;

/**
 * a [B, n, n] symmetric → the k largest eigenvalues [B, k], ascending, and unit vectors as columns [B, n, k]; NaN where it does not
 * converge. Jacobi's method, a workgroup to a matrix: n / 2 pairs that have no index in common are turned at a time.
 *
 * @see  G. Golub, C. Van Loan, Matrix Computations, 4th ed., §8.5.5 (parallel ordering).
 */
export function eighStages(a: View, values: View, vectors: View, { scratch }: PrintContext): Stage[] {
  const [batch, n] = a.shape as [number, number];
  const [work, basis] = [scratch("float32", a.shape), scratch("float32", a.shape)];
  const count = values.shape[1] as number;
  const print = (shader: ShaderBuilder): number => {
    new JacobiPrinter(shader, n, count, shader.view(work, true), shader.view(basis, true)).print(
      shader.view(a),
      shader.view(values, true),
      shader.view(vectors, true),
      shader.size(batch),
    );
    return batch;
  };
  return [{ lanes: 128, loops: true, print }];
}

class JacobiPrinter {
  readonly #shader: ShaderBuilder;
  readonly #extent: string;
  /** How many of the smallest are not wanted. */
  readonly #below: string;
  /** Players of the tournament that pairs all indices: with one more, who does not exist, where n is odd. */
  readonly #players: string;
  readonly #pairs: string;
  readonly #work: ViewText;
  readonly #basis: ViewText;
  readonly #turns: string;
  readonly #flag: string;
  /** The matrix that the workgroup is at. */
  readonly #matrix: string;

  constructor(shader: ShaderBuilder, n: number, count: number, work: ViewText, basis: ViewText) {
    this.#shader = shader;
    this.#extent = shader.size(n);
    this.#below = shader.size(n - count);
    this.#players = shader.size(n + (n % 2));
    this.#pairs = shader.size((n + (n % 2)) / 2);
    this.#work = work;
    this.#basis = basis;
    // Cosine and sine of each pair of a round.
    this.#turns = shader.shared("vec2<f32>", (n + (n % 2)) / 2);
    this.#flag = shader.shared("atomic<u32>", 1);
    this.#matrix = shader.name("matrix");
  }

  print(a: ViewText, values: ViewText, vectors: ViewText, batch: string): void {
    const shader = this.#shader;
    const matrix = this.#matrix;
    shader.line(`for (var ${matrix} = group; ${matrix} < ${batch}; ${matrix} += groups) {`);
    const size = this.#u32(`${this.#extent} * ${this.#extent}`);
    const largest = this.#largest(a, size);
    const finite = this.#let("bool", `${largest} < 0x7f800000u`);
    // Brought near 1 by a power of two, which is exact: no product below overflows or vanishes.
    const exponent = this.#let("i32", `select(0, i32(${largest} >> 23u) - 127, ${largest} != 0u && ${finite})`);
    const scaled = useFunction(shader, "scaled");
    this.#each(size, (at) => {
      const [i, j] = [this.#u32(`${at} / ${this.#extent}`), this.#u32(`${at} % ${this.#extent}`)];
      const [upper, lower] = [a.at(this.#matrix, i, j), a.at(this.#matrix, j, i)].map((place) =>
        this.#f32(`${scaled}(${convert(a.load(place), "f32")}, -${exponent})`),
      ) as [string, string];
      this.#store(this.#work, i, j, `0.5 * ${upper} + 0.5 * ${lower}`);
      this.#store(this.#basis, i, j, `select(0.0, 1.0, ${i} == ${j})`);
    });
    this.#barrier();
    const [converged, sweep] = [shader.name("converged"), shader.name("sweep")];
    shader.line(`var ${converged} = false;`);
    shader.line(`for (var ${sweep} = 0u; ${sweep} < ${mostSweeps}u; ${sweep}++) {`);
    const turned = this.#sweep();
    shader.line(`if (${turned} == 0u) { ${converged} = true; break; }`);
    shader.line("}");
    this.#results(`${converged} && ${finite}`, exponent, values, vectors);
    shader.line("}");
  }

  /** The bits of the largest magnitude. */
  #largest(a: ViewText, size: string): string {
    const shader = this.#shader;
    shader.line(`atomicStore(&${this.#flag}[0], 0u);`);
    shader.line("workgroupBarrier();");
    this.#each(size, (at) => {
      const place = a.at(this.#matrix, `(${at} / ${this.#extent})`, `(${at} % ${this.#extent})`);
      const bits = `bitcast<u32>(${convert(a.load(place), "f32")}) & 0x7fffffffu`;
      shader.line(`atomicMax(&${this.#flag}[0], ${bits});`);
    });
    return this.#agreed();
  }

  /** Turns all pairs once; how many had to be. */
  #sweep(): string {
    const shader = this.#shader;
    shader.line(`atomicStore(&${this.#flag}[0], 0u);`);
    shader.line("workgroupBarrier();");
    const round = shader.name("round");
    shader.line(`for (var ${round} = 0u; ${round} + 1u < ${this.#players}; ${round}++) {`);
    this.#each(this.#pairs, (k) => {
      const [p, q] = this.#pair(k, round);
      shader.line(`var cosine = 1.0; var sine = 0.0;`);
      shader.line(`if (${q} < ${this.#extent}) {`);
      const [app, aqq, apq] = [
        this.#load(this.#work, p, p),
        this.#load(this.#work, q, q),
        this.#load(this.#work, p, q),
      ];
      const small = this.#f32(`max(2.9802322e-8 * sqrt(abs(${app} * ${aqq})), 1e-12)`);
      shader.line(`if (abs(${apq}) > ${small}) {`);
      shader.line(`atomicAdd(&${this.#flag}[0], 1u);`);
      const theta = this.#f32(`(${aqq} - ${app}) / (2.0 * ${apq})`);
      const root = this.#f32(`abs(${theta}) + sqrt(1.0 + ${theta} * ${theta})`);
      const t = this.#f32(`select(1.0, -1.0, ${theta} < 0.0) / ${root}`);
      const squared = this.#f32(`1.0 + ${t} * ${t}`);
      const rough = this.#f32(`inverseSqrt(${squared})`);
      // A step of Newton's method: roots and quotients may be off by some units in the last place.
      shader.line(`cosine = ${rough} * (1.5 - 0.5 * ${squared} * ${rough} * ${rough});`);
      shader.line(`sine = ${t} * cosine;`);
      shader.line("}}");
      shader.line(`${this.#turns}[${k}] = vec2<f32>(cosine, sine);`);
    });
    shader.line("workgroupBarrier();");
    this.#turn(round, false);
    this.#barrier();
    this.#turn(round, true);
    this.#barrier();
    shader.line("}");
    return this.#agreed();
  }

  /** Turns the columns of the matrix and of the basis, or the rows of the matrix. */
  #turn(round: string, rows: boolean): void {
    const shader = this.#shader;
    this.#each(this.#u32(`${this.#pairs} * ${this.#extent}`), (at) => {
      const k = this.#u32(`${at} / ${this.#extent}`);
      const i = this.#u32(`${at} % ${this.#extent}`);
      const [p, q] = this.#pair(k, round);
      const turn = this.#let("vec2<f32>", `${this.#turns}[${k}]`);
      shader.line(`if (${turn}.y != 0.0) {`);
      const exchange = (view: ViewText, at: (index: string) => readonly [string, string]) => {
        const [u, v] = [this.#load(view, ...at(p)), this.#load(view, ...at(q))];
        const zero = rows ? `${i} == ${q}` : "false";
        const other = rows ? `${i} == ${p}` : "false";
        this.#store(view, ...at(p), `select(${turn}.x * ${u} - ${turn}.y * ${v}, 0.0, ${zero})`);
        this.#store(view, ...at(q), `select(${turn}.y * ${u} + ${turn}.x * ${v}, 0.0, ${other})`);
      };
      exchange(this.#work, (index) => (rows ? [index, i] : [i, index]));
      if (!rows) exchange(this.#basis, (index) => [i, index]);
      shader.line("}");
    });
  }

  /** Columns in the order of their eigenvalues, of length 1, the largest component positive. */
  #results(valid: string, exponent: string, values: ViewText, vectors: ViewText): void {
    const shader = this.#shader;
    this.#each(this.#extent, (from) => {
      const value = this.#load(this.#work, from, from);
      const [rank, k, other] = [shader.name("rank"), shader.name("k"), shader.name("other")];
      shader.line(`var ${rank} = 0u;`);
      shader.line(`for (var ${k} = 0u; ${k} < ${this.#extent}; ${k}++) {`);
      shader.line(`let ${other} = ${convert(this.#work.load(this.#work.at(this.#matrix, k, k)), "f32")};`);
      // Written so that NaN leaves no place empty.
      shader.line(
        `${rank} += select(0u, 1u, select(!(${other} >= ${value}), ${other} <= ${value}, ${k} < ${from}) && ${k} != ${from});`,
      );
      shader.line("}");
      const place = shader.name("place");
      shader.line(`if (${rank} >= ${this.#below}) {`);
      shader.line(`let ${place} = ${rank} - ${this.#below};`);
      const [peak, length] = [shader.name("peak"), shader.name("length")];
      shader.line(`var ${peak} = 0.0; var ${length} = 0.0;`);
      shader.line(`for (var ${k} = 0u; ${k} < ${this.#extent}; ${k}++) {`);
      const component = this.#load(this.#basis, k, from);
      shader.line(`${length} += ${component} * ${component};`);
      shader.line(`if (abs(${component}) > abs(${peak}) + 1e-6) { ${peak} = ${component}; }`);
      shader.line("}");
      const factor = this.#f32(`select(1.0, -1.0, ${peak} < 0.0) * inverseSqrt(${length})`);
      const nan = useFunction(shader, "not_a_number");
      const scaled = `${useFunction(shader, "scaled")}(${value}, ${exponent})`;
      shader.line(
        values.store(values.at(this.#matrix, place), { type: "f32", text: `select(${nan}(), ${scaled}, ${valid})` }),
      );
      shader.line(`for (var ${k} = 0u; ${k} < ${this.#extent}; ${k}++) {`);
      const entry = `${convert(this.#basis.load(this.#basis.at(this.#matrix, k, from)), "f32")} * ${factor}`;
      shader.line(
        vectors.store(vectors.at(this.#matrix, k, place), {
          type: "f32",
          text: `select(${nan}(), ${entry}, ${valid})`,
        }),
      );
      shader.line("}}");
    });
  }

  /** Indices p < q of a pair of a round, by the circle method: the last one stays, the others move on. */
  #pair(k: string, round: string): readonly [string, string] {
    const circle = this.#u32(`${this.#players} - 1u`);
    const first = this.#u32(`select((${round} + ${k}) % ${circle}, ${circle}, ${k} == 0u)`);
    const second = this.#u32(`(${round} + ${circle} - ${k}) % ${circle}`);
    return [this.#u32(`min(${first}, ${second})`), this.#u32(`max(${first}, ${second})`)];
  }

  /** A loop over 0 … count − 1 shared by the workgroup. */
  #each(count: string, body: (at: string) => void): void {
    const at = this.#shader.name("at");
    this.#shader.line(`for (var ${at} = lane; ${at} < ${count}; ${at} += ${this.#shader.lanes}u) {`);
    body(at);
    this.#shader.line("}");
  }

  /** What all have made of the flag, as a name that control flow may depend on. */
  #agreed(): string {
    const agreed = this.#shader.shared("u32", 1);
    this.#shader.line("workgroupBarrier();");
    this.#shader.line(`if (lane == 0u) { ${agreed}[0] = atomicLoad(&${this.#flag}[0]); }`);
    return this.#u32(`workgroupUniformLoad(&${agreed}[0])`);
  }

  #barrier(): void {
    this.#shader.line("storageBarrier();");
    this.#shader.line("workgroupBarrier();");
  }

  #load(view: ViewText, i: string, j: string): string {
    return this.#f32(convert(view.load(view.at(this.#matrix, i, j)), "f32"));
  }

  #store(view: ViewText, i: string, j: string, text: string): void {
    this.#shader.line(view.store(view.at(this.#matrix, i, j), { type: "f32", text }));
  }

  #f32 = (text: string) => this.#let("f32", text);
  #u32 = (text: string) => this.#let("u32", text);

  #let(_type: string, text: string): string {
    const name = this.#shader.name();
    this.#shader.line(`let ${name} = ${text};`);
    return name;
  }
}
