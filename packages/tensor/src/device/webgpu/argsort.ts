import type { View } from "../../kernel/kernel.js";
import { useFunction } from "./formula.js";
import { convert, type PrintContext, type ShaderBuilder, type Stage, type ValueType, type ViewText } from "./shader.js";
import { eachElement } from "./elements.js";

/** Elements that a workgroup sorts by counting, for each, those that come before it. */
const run = 256;

type Three = readonly [number, number, number];

/** A number (u32) that sorts as an element does, zeros of either sign alike and NaN last in both directions. */
function sortingKey(shader: ShaderBuilder, type: ValueType, value: string, descending: boolean): string {
  const turned = (key: string) => (descending ? `~(${key})` : key);
  if (type === "u32") return turned(value);
  if (type === "bool") return turned(`select(0u, 1u, ${value})`);
  if (type === "i32") return turned(`bitcast<u32>(${value}) ^ 0x80000000u`);
  const name = shader.declare(
    descending ? "falling_key" : "rising_key",
    `fn ${descending ? "falling_key" : "rising_key"}(value: f32) -> u32 {
      if (${useFunction(shader, "is_nan")}(value)) { return 0xffffffffu; }
      let bits = select(bitcast<u32>(value), 0u, value == 0.0);
      return ${turned("select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u)")};
    }`,
  );
  return `${name}(${value})`;
}

/**
 * x [A, L, B] → places int32 in the order of the elements along L, equal ones by place. Short runs are sorted in
 * workgroups, then merged in pairs: every element finds its place in the other run by halving.
 */
export function argsortStages(x: View, out: View, descending: boolean, { scratch }: PrintContext): Stage[] {
  const [outer, length, inner] = x.shape as unknown as Three;
  const merges: number[] = [];
  for (let width = run; width < length; width *= 2) merges.push(width);
  const lines: View[] = merges.slice(0, 2).map(() => scratch("int32", [outer, length, inner]));
  // The last one writes the result, those before take turns.
  const target = (step: number): View =>
    step === merges.length ? out : (lines[(merges.length - 1 - step) % 2] as View);
  return [
    runStage(x, target(0), descending),
    ...merges.map((width, k) => mergeStage(x, target(k), target(k + 1), width, descending)),
  ];
}

function keyAt(
  shader: ShaderBuilder,
  view: ViewText,
  i: string,
  place: string,
  k: string,
  descending: boolean,
): string {
  const value = shader.let(view.load(view.at(i, place, k)));
  return shader.let({ type: "u32", text: sortingKey(shader, value.type, value.text, descending) }).text;
}

function runStage(x: View, out: View, descending: boolean): Stage {
  const [outer, length, inner] = x.shape as unknown as Three;
  const runs = Math.ceil(length / run);
  const count = outer * inner * runs;
  return {
    lanes: 128,
    loops: true,
    print: (shader) => {
      const [source, target] = [shader.view(x), shader.view(out, true)];
      const keys = shader.shared("u32", run);
      const u32 = (text: string) => shader.let({ type: "u32", text }).text;
      const [task, at, other] = [shader.name("task"), shader.name("i"), shader.name("j")];
      shader.line(`for (var ${task} = group; ${task} < ${shader.size(count)}; ${task} += groups) {`);
      const start = u32(`(${task} % ${shader.size(runs)}) * ${run}u`);
      const line = u32(`${task} / ${shader.size(runs)}`);
      const [i, k] = [u32(`${line} / ${shader.size(inner)}`), u32(`${line} % ${shader.size(inner)}`)];
      const size = u32(`min(${run}u, ${shader.size(length)} - ${start})`);
      shader.line("workgroupBarrier();");
      shader.line(`for (var ${at} = lane; ${at} < ${size}; ${at} += ${shader.lanes}u) {`);
      shader.line(`${keys}[${at}] = ${keyAt(shader, source, i, `(${start} + ${at})`, k, descending)};`);
      shader.line("}");
      shader.line("workgroupBarrier();");
      shader.line(`for (var ${at} = lane; ${at} < ${size}; ${at} += ${shader.lanes}u) {`);
      const key = u32(`${keys}[${at}]`);
      const rank = shader.name("rank");
      shader.line(`var ${rank} = ${start};`);
      shader.line(`for (var ${other} = 0u; ${other} < ${size}; ${other}++) {`);
      const compared = u32(`${keys}[${other}]`);
      shader.line(`${rank} += select(0u, 1u, ${compared} < ${key} || (${compared} == ${key} && ${other} < ${at}));`);
      shader.line("}");
      shader.line(target.store(target.at(i, rank, k), { type: "u32", text: `(${start} + ${at})` }));
      shader.line("}");
      shader.line("}");
      return count;
    },
  };
}

function mergeStage(x: View, from: View, to: View, width: number, descending: boolean): Stage {
  const shape = x.shape as unknown as Three;
  return {
    lanes: 128,
    loops: true,
    print: (shader) => {
      const [source, places, target] = [shader.view(x), shader.view(from), shader.view(to, true)];
      const [length, half] = [shader.size(shape[1]), shader.size(width)];
      return eachElement(shader, shape, (i, j, k) => {
        const [at, line, column] = [j, i, k] as [string, string, string];
        const u32 = (text: string) => shader.let({ type: "u32", text }).text;
        const placeAt = (position: string) => u32(convert(places.load(places.at(line, position, column)), "u32"));
        const place = placeAt(at);
        const key = keyAt(shader, source, line, place, column, descending);
        const own = u32(`${at} / ${half}`);
        const other = u32(`min((${own} ^ 1u) * ${half}, ${length})`);
        const [low, high] = [shader.name("low"), shader.name("high")];
        shader.line(`var ${low} = ${other};`);
        shader.line(`var ${high} = min(${other} + ${half}, ${length});`);
        shader.line(`while (${low} < ${high}) {`);
        const middle = u32(`(${low} + ${high}) / 2u`);
        const found = keyAt(shader, source, line, placeAt(middle), column, descending);
        // Equal ones of the first run come first.
        const before = `${found} < ${key} || (${found} == ${key} && (${own} & 1u) == 1u)`;
        shader.line(`if (${before}) { ${low} = ${middle} + 1u; } else { ${high} = ${middle}; }`);
        shader.line("}");
        const first = u32(`(${own} & ~1u) * ${half}`);
        const rank = u32(`${first} + (${at} - ${own} * ${half}) + (${low} - ${other})`);
        shader.line(target.store(target.at(line, rank, column), { type: "u32", text: place }));
      });
    },
  };
}
