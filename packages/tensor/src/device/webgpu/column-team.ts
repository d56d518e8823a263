import type { ShaderBuilder } from "./shader.js";

/** How several invocations share the samples of one coordinate. */
export interface Team {
  /** Coordinates beside each other in a workgroup; `rows` invocations work on each. Both are powers of two. */
  readonly columns: number;
  readonly rows: number;
  /** Name of the invocation's coordinate in the tile, and of its place in the team (u32). */
  readonly column: string;
  readonly row: string;
  /** True where invocations with coordinates of their own have barriers in common. */
  readonly together?: boolean;
}

/** A number that every invocation has a part of. */
export interface Part {
  readonly type: "f32" | "u32";
  readonly text: string;
  /** Text of two parts put together. */
  readonly join: (a: string, b: string) => string;
}

/**
 * Prints what the parts of a team make together, always in the same order, so that all of its members have the same
 * bits. At most four parts at a time.
 *
 * @returns  Names of the whole.
 */
export function joinTeam(shader: ShaderBuilder, team: Team, parts: readonly Part[]): string[] {
  if (team.rows === 1) return parts.map((part) => shader.let(part).text);
  const memory = shader.shared("vec4<u32>", shader.lanes);
  const words = parts.map(({ type, text }) => (type === "u32" ? text : `bitcast<u32>(${text})`));
  shader.line(`${memory}[lane] = vec4<u32>(${[0, 1, 2, 3].map((k) => words[k] ?? "0u").join(", ")});`);
  shader.line("workgroupBarrier();");
  const read = ({ type }: Part, from: string, k: number) => {
    const word = `${from}.${"xyzw"[k] as string}`;
    return type === "u32" ? word : `bitcast<f32>(${word})`;
  };
  const first = shader.name();
  shader.line(`let ${first} = ${memory}[${team.column}];`);
  const totals = parts.map((part, k) => {
    const name = shader.name("w");
    shader.line(`var ${name} = ${read(part, first, k)};`);
    return name;
  });
  const [k, next] = [shader.name("k"), shader.name()];
  shader.line(`for (var ${k} = 1u; ${k} < ${team.rows}u; ${k}++) {`);
  shader.line(`let ${next} = ${memory}[${k} * ${team.columns}u + ${team.column}];`);
  parts.forEach((part, at) => {
    const total = totals[at] as string;
    shader.line(`${total} = ${part.join(total, read(part, next, at))};`);
  });
  shader.line("}");
  shader.line("workgroupBarrier();");
  return totals;
}

/** Prints whether a test holds in all invocations of the workgroup, as a name that control flow may depend on. */
export function holdsForAll(shader: ShaderBuilder, test: string): string {
  const memory = shader.shared("vec4<u32>", shader.lanes);
  const whole = shader.shared("u32", 1);
  const k = shader.name("k");
  shader.line(`${memory}[lane].x = select(0u, 1u, ${test});`);
  shader.line("workgroupBarrier();");
  shader.line(`if (lane == 0u) { var all_hold = 1u;`);
  shader.line(`for (var ${k} = 0u; ${k} < ${shader.lanes}u; ${k}++) { all_hold &= ${memory}[${k}].x; }`);
  shader.line(`${whole}[0] = all_hold; }`);
  const name = shader.name();
  shader.line(`let ${name} = workgroupUniformLoad(&${whole}[0]) != 0u;`);
  return name;
}
