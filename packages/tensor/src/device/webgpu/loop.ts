/// <reference types="@webgpu/types" />
import type { IterateKernel, Kernel, View } from "../../kernel/kernel.js";
import { viewsOf } from "../../kernel/views.js";
import { input } from "../../scalar/expression.js";
import { sizeOf } from "../../shape.js";
import { withFewBuffers } from "./gather.js";
import { kernelStages } from "./print-kernel.js";
import { spread, uniformBytes, type Indirect } from "./queue.js";
import { ShaderBuilder, type PrintContext, type Shader, type Stage } from "./shader.js";

/** Elements that a turn of a loop in one workgroup may look at, and multiplications it may take. */
const mostElements = 2 ** 16;
const mostProducts = 2 ** 18;

/** A dispatch that is not bound yet. */
export interface Dispatch {
  readonly shader: Shader;
  readonly indirect: Indirect | null;
}

/** What loops need besides what printers do. */
export interface LoopContext extends PrintContext {
  /** Memory for counts of workgroups, in words. */
  readonly counts: (words: number) => GPUBuffer;
}

/** The dispatches of a kernel that may be a loop: a small loop is one shader of one workgroup. */
export function dispatchesOf(kernel: Kernel, context: LoopContext): Dispatch[] {
  if (kernel.form !== "iterate") {
    // One is left for working memory.
    const gathered = withFewBuffers(kernel, context.limits.maxStorageBuffersPerShaderStage - 1, context);
    return [...gathered.copies, gathered.kernel].flatMap((part) =>
      kernelStages(part, context).map((stage) => ({ shader: printed(stage), indirect: null })),
    );
  }
  const small = smallStages(kernel, context);
  if (small !== null) {
    const shader = new ShaderBuilder(Math.min(256, context.limits.maxComputeInvocationsPerWorkgroup));
    printLoop(shader, kernel, small);
    const result = shader.finish(1);
    const { maxStorageBuffersPerShaderStage: buffers } = context.limits;
    if (result.bindings.length <= buffers && 4 * result.words.length <= uniformBytes) {
      return [{ shader: result, indirect: null }];
    }
  }
  return unrolled(kernel, context);
}

function printed(stage: Stage): Shader {
  const shader = new ShaderBuilder(stage.lanes);
  return shader.finish(stage.print(shader));
}

const moves = ({ copies }: IterateKernel): Kernel[] =>
  copies.map(({ from, to }) => ({ form: "map", out: to, f: input(0), operands: [from] }));

/** Parts of a turn: stages, and loops inside with theirs. */
interface Turn {
  readonly body: readonly (Stage | { readonly kernel: IterateKernel; readonly turn: Turn })[];
  readonly after: readonly Stage[];
}

/** The stages of a loop that one workgroup can run; null for any other loop. */
function smallStages(kernel: IterateKernel, context: LoopContext): Turn | null {
  if (!isSmall(kernel.body)) return null;
  const body: Turn["body"][number][] = [];
  for (const inner of kernel.body) {
    if (inner.form === "iterate") {
      const turn = smallStages(inner, context);
      if (turn === null) return null;
      body.push({ kernel: inner, turn });
    } else body.push(...kernelStages(inner, context));
  }
  const after = moves(kernel).flatMap((move) => kernelStages(move, context));
  const fit = [...body, ...after].every((part) => "turn" in part || part.loops);
  return fit ? { body, after } : null;
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

function printLoop(shader: ShaderBuilder, { until, maximum }: IterateKernel, { body, after }: Turn): void {
  const run = (parts: Turn["body"]) => {
    for (const part of parts) {
      if ("turn" in part) printLoop(shader, part.kernel, part.turn);
      else {
        shader.line("{");
        part.print(shader);
        shader.line("}");
      }
      shader.line("storageBarrier();");
      shader.line("workgroupBarrier();");
    }
  };
  const turn = shader.name("turn");
  const over = shader.name("over");
  shader.line(`for (var ${turn} = 0u; ${turn} < ${shader.size(maximum)}; ${turn}++) {`);
  run(body);
  if (until !== null) {
    // The test looks at the state before it moves.
    const view = shader.view(until);
    const flag = shader.shared("bool", 1);
    shader.line(`if (lane == 0u) { ${flag}[0] = ${view.load(view.offset).text}; }`);
    shader.line(`let ${over} = workgroupUniformLoad(&${flag}[0]);`);
  }
  run(after);
  if (until !== null) shader.line(`if (${over}) { break; }`);
  shader.line("}");
}

/** A loop as its dispatches again and again, whose counts become 0 once it is over. */
function unrolled(kernel: IterateKernel, context: LoopContext): Dispatch[] {
  const { until, maximum } = kernel;
  const body = kernel.body.flatMap((inner) => dispatchesOf(inner, context));
  const after = moves(kernel).flatMap((move) => dispatchesOf(move, context));
  const steps: Dispatch[] = [];
  if (until === null) {
    for (let turn = 0; turn < maximum; turn++) steps.push(...body, ...after);
    return steps;
  }
  const flag = context.scratch("bool", []);
  const test: View = { ...until, shape: [], strides: [] };
  const note = dispatchesOf({ form: "map", out: flag, f: input(0), operands: [test] }, context);
  const parts = [...body, ...note, ...after];
  const counts = context.counts(3 * parts.length);
  // What has counts of its own, in a loop inside, ends with them at 0.
  const counted = parts.map((part, k): Dispatch =>
    part.indirect === null ? { ...part, indirect: { buffer: counts, offset: 12 * k } } : part,
  );
  const initial = parts.flatMap(({ shader }) => {
    const { x, y } = spread(shader.workgroups, context.limits);
    return [x, y, 1];
  });
  steps.push({ shader: settingCounts(counts, initial), indirect: null });
  const end = endingCounts(counts, initial.length, flag);
  for (let turn = 0; turn < maximum; turn++) steps.push(...counted, { shader: end, indirect: null });
  steps.push({ shader: endingCounts(counts, initial.length, null), indirect: null });
  return steps;
}

/** Sets every count to what it is at the start. */
function settingCounts(counts: GPUBuffer, initial: readonly number[]): Shader {
  const shader = new ShaderBuilder(32);
  const memory = shader.buffer(counts, true);
  shader.line("if (lane == 0u) {");
  initial.forEach((count, k) => shader.line(`${memory}[${k}] = ${shader.size(count)};`));
  shader.line("}");
  return shader.finish(1);
}

/** Sets all counts to 0 when the flag is set, or at any rate. */
function endingCounts(counts: GPUBuffer, length: number, flag: View | null): Shader {
  const shader = new ShaderBuilder(32);
  const memory = shader.buffer(counts, true);
  const view = flag === null ? null : shader.view(flag);
  shader.line(`if (${view === null ? "true" : view.load(view.offset).text}) {`);
  shader.line(`for (var i = lane; i < ${shader.size(length)}; i += 32u) { ${memory}[i] = 0u; }`);
  shader.line("}");
  return shader.finish(1);
}
