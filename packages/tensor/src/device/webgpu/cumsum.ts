import type { View } from "../../kernel/kernel.js";
import { eachElement } from "./elements.js";
import { convert, type ShaderBuilder, type Stage } from "./shader.js";

type Three = readonly [number, number, number];

/** Shorter lines are added up by one invocation each. */
const shortLine = 64;

/** x [A, L, B] → running sums along L. */
export function cumsumStage(x: View, out: View): Stage {
  const shape = x.shape as unknown as Three;
  const [outer, length, inner] = shape;
  const parts = (shader: ShaderBuilder) => {
    const [source, target] = [shader.view(x), shader.view(out, true)];
    const type = target.type === "bool" ? "u32" : target.type;
    return {
      type,
      extent: shader.size(length),
      load: (i: string, j: string, k: string) => convert(source.load(source.at(i, j, k)), type),
      store: (i: string, j: string, k: string, text: string) =>
        shader.line(target.store(target.at(i, j, k), { type, text })),
    };
  };
  const lanes = 128;
  if (length <= shortLine) {
    return {
      lanes,
      loops: true,
      print: (shader) => {
        const { type, extent, load, store } = parts(shader);
        return eachElement(shader, [outer, inner], (i, k) => {
          const [sum, j] = [shader.name("sum"), shader.name("j")];
          shader.line(`var ${sum} = ${type}(0);`);
          shader.line(`for (var ${j} = 0u; ${j} < ${extent}; ${j}++) {`);
          shader.line(`${sum} += ${load(i as string, j, k as string)};`);
          store(i as string, j, k as string, sum);
          shader.line("}");
        });
      },
    };
  }
  return {
    lanes,
    loops: true,
    print: (shader) => {
      const { type, extent, load, store } = parts(shader);
      const memory = shader.shared(type, shader.lanes);
      const u32 = (text: string) => shader.let({ type: "u32", text }).text;
      const [line, start, carry, step] = ["line", "start", "carry", "step"].map((name) => shader.name(name)) as [
        string,
        string,
        string,
        string,
      ];
      shader.line(`for (var ${line} = group; ${line} < ${shader.size(outer * inner)}; ${line} += groups) {`);
      const [i, k] = [u32(`${line} / ${shader.size(inner)}`), u32(`${line} % ${shader.size(inner)}`)];
      shader.line(`var ${carry} = ${type}(0);`);
      shader.line(`for (var ${start} = 0u; ${start} < ${extent}; ${start} += ${shader.lanes}u) {`);
      const j = u32(`${start} + lane`);
      const sum = shader.name("sum");
      shader.line(`var ${sum} = ${type}(0);`);
      shader.line(`if (${j} < ${extent}) { ${sum} = ${load(i, j, k)}; }`);
      // Everyone adds what is 1, 2, 4, … places before.
      shader.line(`for (var ${step} = 1u; ${step} < ${shader.lanes}u; ${step} *= 2u) {`);
      shader.line("workgroupBarrier();");
      shader.line(`${memory}[lane] = ${sum};`);
      shader.line("workgroupBarrier();");
      shader.line(`if (lane >= ${step}) { ${sum} += ${memory}[lane - ${step}]; }`);
      shader.line("}");
      shader.line("workgroupBarrier();");
      shader.line(`${memory}[lane] = ${sum};`);
      shader.line("workgroupBarrier();");
      shader.line(`if (${j} < ${extent}) {`);
      store(i, j, k, `(${carry} + ${sum})`);
      shader.line("}");
      shader.line(`${carry} += ${memory}[${shader.lanes - 1}u];`);
      shader.line("}");
      shader.line("}");
      return outer * inner;
    },
  };
}
