/// <reference types="@webgpu/types" />
import type { IterateKernel, Kernel, View } from "../../kernel/kernel.js";
import { viewsOf } from "../../kernel/views.js";
import { input } from "../../scalar/expression.js";
import { sizeOf } from "../../shape.js";
import type { Block } from "./memory.js";
import { withFewBuffers } from "./gather.js";
import { kernelStages } from "./print-kernel.js";
import { spread, uniformBytes, type Indirect } from "./queue.js";
import { ShaderBuilder, type PrintContext, type Shader, type Stage } from "./shader.js";

/**
 * Elements that a turn of a loop in one workgroup may look at, and multiplications it may take. The dispatches of any other
 * loop are recorded for every turn that there may be, and the many with counts in memory cost milliseconds a turn.
 */
const mostElements = 2 ** 20;
const mostProducts = 2 ** 20;
/** A loop that may end long before so many turns are over is left to one workgroup whatever it looks at. */
const mostRecorded = 1024;

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
  const open = kernel.until !== null && kernel.maximum > mostRecorded;
  const parts = open || isSmall(kernel.body) ? partsOf([kernel], context) : null;
  if (parts === null) return unrolled(kernel, context);
  const most = Math.min(256, context.limits.maxComputeInvocationsPerWorkgroup);
  const widest = Math.max(...kernel.body.map(widthOf));
  const lanes = Math.min(most, Math.max(32, 2 ** Math.ceil(Math.log2(widest))));
  const shader = printTogether(parts, lanes, context) ?? printTogether(parts, lanes, context, 0);
  return shader === null ? unrolled(kernel, context) : [{ shader, indirect: null }];
}

/** Kernels one after another in one workgroup; null where that does not fit a shader. */
export function chainOf(kernels: readonly Kernel[], context: LoopContext): Shader | null {
  const parts = partsOf(kernels, context);
  if (parts === null) return null;
  return printTogether(parts, Math.min(256, context.limits.maxComputeInvocationsPerWorkgroup), context);
}

function printed(stage: Stage): Shader {
  const shader = new ShaderBuilder(stage.lanes);
  return shader.finish(stage.print(shader));
}

const moves = ({ copies }: IterateKernel): Kernel[] =>
  copies.map(({ from, to }) => ({ form: "map", out: to, f: input(0), operands: [from] }));

/** A kernel that one workgroup runs, with its working memory. */
interface Plain {
  readonly kernel: Exclude<Kernel, IterateKernel>;
  readonly stages: readonly Stage[];
  readonly scratch: readonly View[];
}

/** A loop that one workgroup runs. */
interface Loop {
  readonly kernel: IterateKernel;
  readonly body: readonly Part[];
  readonly after: readonly Part[];
}

type Part = Plain | Loop;

/** Kernels as one workgroup can run them; null where it cannot. */
function partsOf(kernels: readonly Kernel[], context: LoopContext): Part[] | null {
  const parts: Part[] = [];
  for (const kernel of kernels) {
    if (kernel.form === "iterate") {
      const [body, after] = [partsOf(kernel.body, context), partsOf(moves(kernel), context)];
      if (body === null || after === null) return null;
      parts.push({ kernel, body, after });
      continue;
    }
    const scratch: View[] = [];
    const stages = kernelStages(kernel, {
      limits: context.limits,
      single: true,
      scratch: (dtype, shape) => {
        const view = context.scratch(dtype, shape);
        scratch.push(view);
        return view;
      },
    });
    if (!stages.every(({ loops }) => loops)) return null;
    parts.push({ kernel, stages, scratch });
  }
  return parts;
}

/** Whether a turn looks at few elements, loops inside it as well. */
function isSmall(body: readonly Kernel[]): boolean {
  const { elements, products } = effortOf(body);
  const inner = body.every((kernel) => kernel.form !== "iterate" || isSmall(kernel.body));
  return inner && elements <= mostElements && products <= mostProducts;
}

/** Elements that kernels look at, and multiplications of their products. */
export function effortOf(kernels: readonly Kernel[]): { readonly elements: number; readonly products: number } {
  let elements = 0;
  let products = 0;
  for (const kernel of kernels) {
    const { reads, writes } = viewsOf(kernel);
    for (const view of [...reads, ...writes]) elements += sizeOf(view.shape);
    if (kernel.form === "contract") products += sizeOf(kernel.out.shape) * (kernel.a.shape[2] as number);
  }
  return { elements, products };
}

/** Invocations that find something to do. */
function widthOf(kernel: Kernel): number {
  if (kernel.form === "iterate") return Math.max(...kernel.body.map(widthOf));
  if (kernel.form === "column" || kernel.form === "routine") return 256;
  const terms = kernel.form === "reduce" ? kernel.axes.reduce((n, axis) => n * (kernel.shape[axis] as number), 1) : 1;
  // Long sums are shared out.
  return Math.max(sizeOf(kernel.out.shape), terms / 4);
}

/** Words of a loop's state that workgroup memory holds while it runs, at most; some is left to column programs. */
const mostNear = 1024;

/**
 * Prints parts one after another as one shader of one workgroup; null where it would name too much.
 *
 * @param near  Words that loops may keep in workgroup memory.
 */
function printTogether(parts: readonly Part[], lanes: number, { limits }: LoopContext, near = mostNear): Shader | null {
  const shader = new ShaderBuilder(lanes);
  printParts(shader, parts, near);
  const result = shader.finish(1);
  const fits =
    result.bindings.length <= limits.maxStorageBuffersPerShaderStage &&
    4 * result.words.length <= uniformBytes &&
    shader.sharedBytes <= limits.maxComputeWorkgroupStorageSize;
  return fits ? result : null;
}

function printParts(shader: ShaderBuilder, parts: readonly Part[], near: number): Order {
  const order = new Order(shader);
  for (const part of parts) {
    const { reads, writes } = viewsOf(part.kernel);
    if (order.clashes(reads, writes)) order.barrier();
    if ("body" in part) printLoop(shader, part, near);
    else {
      part.stages.forEach((stage, k) => {
        if (k > 0) {
          order.note([], [...part.scratch, ...writes]);
          order.barrier();
        }
        shader.line("{");
        stage.print(shader);
        shader.line("}");
      });
    }
    order.note(reads, writes);
  }
  return order;
}

/** What has been read and written since invocations last waited for each other. */
class Order {
  readonly #shader: ShaderBuilder;
  readonly #read = new Set<Block>();
  readonly #written = new Set<Block>();

  constructor(shader: ShaderBuilder) {
    this.#shader = shader;
  }

  /** Whether these need what others may not have finished, or change what others may still look at. */
  clashes(reads: readonly View[], writes: readonly View[]): boolean {
    return (
      [...reads, ...writes].some((view) => this.#written.has(blockOf(view))) ||
      writes.some((view) => this.#read.has(blockOf(view)))
    );
  }

  note(reads: readonly View[], writes: readonly View[]): void {
    for (const view of reads) this.#read.add(blockOf(view));
    for (const view of writes) this.#written.add(blockOf(view));
  }

  barrier(): void {
    const apart = [...this.#read, ...this.#written].some((block) => !this.#shader.isNear(block));
    if (apart) this.#shader.line("storageBarrier();");
    this.#shader.line("workgroupBarrier();");
    this.#read.clear();
    this.#written.clear();
  }
}

const blockOf = ({ storage }: View) => storage.buffer as Block;

/** Views of what parts read and write, working memory included. */
function touchedBy(parts: readonly Part[]): View[] {
  return parts.flatMap((part) => {
    const { reads, writes } = viewsOf(part.kernel);
    const inner = "body" in part ? touchedBy([...part.body, ...part.after]) : part.scratch;
    return [...reads, ...writes, ...inner];
  });
}

/** A loop whose state, if it is small, stays in workgroup memory from the first turn to the last. */
function printLoop(shader: ShaderBuilder, part: Loop, near: number): void {
  const { kernel, body, after } = part;
  const kept = new Map<Block, number>();
  let words = 0;
  const small = touchedBy([part]).sort((a, b) => blockOf(a).length - blockOf(b).length);
  for (const block of small.map(blockOf)) {
    if (kept.has(block) || shader.isNear(block) || words + block.length > near) continue;
    kept.set(block, words);
    words += block.length;
  }
  for (const [block, at] of kept) shader.keepNear(block, at);
  shader.copyNear(kept, false);
  if (kept.size > 0) shader.line("workgroupBarrier();");
  const [turn, over] = [shader.name("turn"), shader.name("over")];
  shader.line(`for (var ${turn} = 0u; ${turn} < ${shader.size(kernel.maximum)}; ${turn}++) {`);
  // What is kept is nobody else's while the loop runs; a loop inside finds no room of its own.
  const order = printParts(shader, body, 0);
  if (kernel.until !== null) {
    // The test looks at the state before it moves.
    const view = shader.view(kernel.until);
    order.barrier();
    if (shader.isNear(blockOf(kernel.until))) {
      shader.line(`let ${over} = workgroupUniformLoad(&${view.word(view.offset)}) != 0u;`);
    } else {
      const flag = shader.shared("bool", 1);
      shader.line(`if (lane == 0u) { ${flag}[0] = ${view.load(view.offset).text}; }`);
      shader.line(`let ${over} = workgroupUniformLoad(&${flag}[0]);`);
    }
  } else order.barrier();
  printParts(shader, after, 0).barrier();
  if (kernel.until !== null) shader.line(`if (${over}) { break; }`);
  shader.line("}");
  for (const block of kept.keys()) shader.leave(block);
  const written = new Set(viewsOf(kernel).writes.map(blockOf));
  shader.copyNear(new Map([...kept].filter(([block]) => written.has(block))), true);
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
