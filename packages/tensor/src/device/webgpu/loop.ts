import type { IterateKernel, Kernel, View } from "../../kernel/kernel.js";
import { viewsOf } from "../../kernel/views.js";
import { input } from "../../scalar/expression.js";
import { sizeOf } from "../../shape.js";
import { kernelStages } from "./print-kernel.js";
import { ShaderBuilder, type PrintContext, type Shader, type Stage } from "./shader.js";

/** Elements that the turns of a loop in one workgroup may look at, and multiplications they may take. */
const mostElements = 2 ** 16;
const mostProducts = 2 ** 18;

export type LoopPlan =
  | { readonly kind: "one shader"; readonly shader: Shader }
  | {
      readonly kind: "dispatches";
      readonly turn: readonly Shader[];
      /** Sets the first `count` places of three words in `counts` to 0 when the test holds; null without one. */
      readonly end: ((counts: GPUBuffer, count: number) => Shader) | null;
      readonly maximum: number;
    };

/** A small loop as one shader of one workgroup, any other as dispatches. */
export function planLoop(kernel: IterateKernel, context: PrintContext): LoopPlan {
  const { body, copies, until, maximum } = kernel;
  const moves: Kernel[] = copies.map(({ from, to }) => ({ form: "map", out: to, f: input(0), operands: [from] }));
  const turn = body.flatMap((inner) => (inner.form === "iterate" ? [] : kernelStages(inner, context)));
  const after = moves.flatMap((move) => kernelStages(move, context));
  const nested = body.some((inner) => inner.form === "iterate");
  if (nested) throw new Error("device webgpu: expected a loop without loops in it, found one");
  if ([...turn, ...after].every(({ loops }) => loops) && isSmall(body)) {
    const shader = oneShader(turn, after, until, maximum, context);
    if (shader.bindings.length <= context.limits.maxStorageBuffersPerShaderStage) return { kind: "one shader", shader };
  }
  const print = (stage: Stage): Shader => {
    const shader = new ShaderBuilder(stage.lanes);
    return shader.finish(stage.print(shader));
  };
  if (until === null) return { kind: "dispatches", turn: [...turn, ...after].map(print), end: null, maximum };
  // The test looks at the state before it moves.
  const flag = context.scratch("bool", []);
  const note = kernelStages({ form: "map", out: flag, f: input(0), operands: [{ ...until, shape: [], strides: [] }] }, context);
  const end = (counts: GPUBuffer, count: number): Shader => {
    const shader = new ShaderBuilder(64);
    const view = shader.view(flag);
    const memory = shader.buffer(counts, true);
    shader.line(`if (${view.load(view.offset).text}) {`);
    shader.line(`for (var i = lane; i < ${shader.size(3 * count)}; i += 64u) { ${memory}[i] = 0u; }`);
    shader.line("}");
    return shader.finish(1);
  };
  return { kind: "dispatches", turn: [...turn, ...note, ...after].map(print), end, maximum };
}

function isSmall(body: readonly Kernel[]): boolean {
  let elements = 0;
  let products = 0;
  for (const kernel of body) {
    const { reads, writes } = viewsOf(kernel);
    for (const view of [...reads, ...writes]) elements += sizeOf(view.shape);
    if (kernel.form === "contract") products += sizeOf(kernel.out.shape) * (kernel.a.shape[2] as number);
  }
  return elements <= mostElements && products <= mostProducts;
}

function oneShader(
  turn: readonly Stage[],
  after: readonly Stage[],
  until: View | null,
  maximum: number,
  { limits }: PrintContext,
): Shader {
  const shader = new ShaderBuilder(Math.min(256, limits.maxComputeInvocationsPerWorkgroup));
  const run = (stages: readonly Stage[]) => {
    for (const stage of stages) {
      shader.line("{");
      stage.print(shader);
      shader.line("}");
      shader.line("storageBarrier();");
      shader.line("workgroupBarrier();");
    }
  };
  shader.line(`for (var turn = 0u; turn < ${shader.size(maximum)}; turn++) {`);
  run(turn);
  if (until !== null) {
    const view = shader.view(until);
    const flag = shader.shared("bool", 1);
    shader.line(`if (lane == 0u) { ${flag}[0] = ${view.load(view.offset).text}; }`);
    shader.line(`let over = workgroupUniformLoad(&${flag}[0]);`);
  }
  run(after);
  if (until !== null) shader.line("if (over) { break; }");
  shader.line("}");
  return shader.finish(1);
}
