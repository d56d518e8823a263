/// <reference types="@webgpu/types" />
import type { Device } from "../device.js";
import type { Program } from "../executor.js";
import type { DType } from "../../dtype.js";
import { describeKernel } from "../../kernel/describe.js";
import type { Kernel, View } from "../../kernel/kernel.js";
import { rowMajor } from "../../layout.js";
import { sizeOf } from "../../shape.js";
import { Storage } from "../../storage.js";
import { chainsOf } from "./chain.js";
import { chainOf, dispatchesOf, type Dispatch, type LoopContext } from "./loop.js";
import { usage, type Block, type Memory } from "./memory.js";
import { originOfCall } from "./origin.js";
import { spread, uniformAlignment, uniformBytes, type Bound, type Queue } from "./queue.js";
import { described, Recipes } from "./recipes.js";
import type { Shader } from "./shader.js";

/** A kernel as the queue takes it, with the memory it works in. */
interface Planned {
  readonly kernels: readonly Kernel[];
  readonly steps: readonly Dispatch[];
  readonly release: () => void;
}

/** The text of a kernel for people, with the line that asked for it. */
function textOf(kernel: Kernel): string {
  const numbers = new Map<Storage, number>();
  const text = describeKernel(kernel, (storage) => {
    let number = numbers.get(storage);
    if (number === undefined) numbers.set(storage, (number = numbers.size));
    return `#${number}`;
  });
  const origin = originOfCall();
  return origin === "" ? text : `${text} (${origin})`;
}

/** Turns kernels into dispatches: at once, or bound ahead for steps that run again and again. */
export class Schedule {
  readonly #device: GPUDevice;
  readonly #queue: Queue;
  readonly #memory: Memory;
  readonly #chains: boolean;
  readonly #recipes = new Recipes();

  /** @param chains  Whether small kernels of a recorded step are to share dispatches. */
  constructor(device: GPUDevice, queue: Queue, memory: Memory, chains: boolean) {
    this.#device = device;
    this.#chains = chains;
    this.#queue = queue;
    this.#memory = memory;
  }

  run(kernel: Kernel): void {
    this.#queue.checkAlive();
    const { steps, release } = this.#known(kernel);
    for (const { shader, indirect } of steps) this.#queue.dispatch(shader, () => textOf(kernel), indirect);
    release();
  }

  /** Kernels with their pipelines, groups and uniforms bound: a run is one submission. */
  compile(kernels: readonly Kernel[]): Program {
    const device = this.#device;
    const chains = this.#chains ? chainsOf(kernels, device.limits) : kernels.map((kernel) => [kernel]);
    const planned = chains.flatMap((chain) => this.#planChain(chain));
    const shaders = planned.flatMap(({ steps }) => steps.map(({ shader }) => shader));
    const slots = shaders.map(({ words }) => Math.max(1, Math.ceil((4 * words.length) / uniformAlignment)));
    const size = slots.reduce((sum, slot) => sum + slot, 0) * uniformAlignment;
    const uniform = device.createBuffer({ size: size + uniformBytes, usage: usage.UNIFORM | usage.COPY_DST });
    const words = new Uint32Array(size / 4);
    const groups = new Map<string, GPUBindGroup>();
    const numbers = new Map<GPUBuffer, number>();
    const groupOf = (shader: Shader, layout: GPUBindGroupLayout): GPUBindGroup => {
      const key = shader.bindings
        .map(({ buffer, written }) => {
          if (!numbers.has(buffer)) numbers.set(buffer, numbers.size);
          return `${numbers.get(buffer)}${written ? "w" : "r"}`;
        })
        .join();
      let group = groups.get(key);
      if (group === undefined) groups.set(key, (group = this.#queue.group(shader, layout, uniform)));
      return group;
    };
    let offset = 0;
    let next = 0;
    const bound = planned.flatMap(({ steps, kernels }) =>
      steps.map(({ shader, indirect }): Bound => {
        const { pipeline, layout } = this.#queue.pipeline(shader, () => kernels.map(textOf).join(" | "));
        words.set(shader.words, offset / 4);
        const result: Bound = {
          pipeline,
          group: groupOf(shader, layout),
          offset,
          indirect,
          ...spread(shader.workgroups, device.limits),
        };
        offset += (slots[next++] as number) * uniformAlignment;
        return result;
      }),
    );
    device.queue.writeBuffer(uniform, 0, words);
    return {
      run: () => {
        this.#queue.checkAlive();
        for (const step of bound) this.#queue.encode(step);
        this.#queue.flush();
      },
      dispose: () => {
        this.#queue.flush();
        uniform.destroy();
        for (const { release } of planned) release();
      },
    };
  }

  /** As it was printed before, if it was. */
  #known(kernel: Kernel): Planned {
    const subject = described(kernel);
    return this.#planned([kernel], (context, held) => {
      const found = this.#recipes.find(subject, ({ dtype, length }) => blockOf(context.scratch(dtype, [length])));
      if (found !== null) return found;
      const asked = held.length;
      const steps = dispatchesOf(kernel, context);
      this.#recipes.keep(subject, held.slice(asked), steps);
      return steps;
    });
  }

  /** Kernels as one dispatch; each with its own where that is no shader. */
  #planChain(kernels: readonly Kernel[]): Planned[] {
    if (kernels.length > 1) {
      let whole = true;
      const chain = this.#planned(kernels, (context) => {
        const shader = chainOf(kernels, context);
        whole = shader !== null;
        return shader === null ? [] : [{ shader, indirect: null }];
      });
      if (whole) return [chain];
      chain.release();
    }
    return kernels.map((kernel) => this.#plan(kernel));
  }

  #plan(kernel: Kernel): Planned {
    return this.#planned([kernel], (context) => dispatchesOf(kernel, context));
  }

  #planned(
    kernels: readonly Kernel[],
    print: (context: LoopContext, held: readonly Block[]) => readonly Dispatch[],
  ): Planned {
    const held: Block[] = [];
    const buffers: GPUBuffer[] = [];
    const context: LoopContext = {
      limits: this.#device.limits,
      single: false,
      scratch: (dtype: DType, shape: readonly number[]): View => {
        const block = this.#memory.allocate(dtype, sizeOf(shape));
        held.push(block);
        return { storage: storageOver(dtype, block), dtype, ...rowMajor(shape) };
      },
      counts: (words) => {
        const buffer = this.#device.createBuffer({ size: 4 * words, usage: usage.STORAGE | usage.INDIRECT });
        buffers.push(buffer);
        return buffer;
      },
    };
    const steps = print(context, held);
    return {
      kernels,
      steps,
      release: () => {
        for (const block of held) this.#memory.free(block);
        if (buffers.length > 0) this.#queue.beforeDestroy();
        for (const buffer of buffers) buffer.destroy();
      },
    };
  }
}

const blockOf = ({ storage }: View) => storage.buffer as Block;

/** Storage that is nobody's tensor, so that kernels can name working memory. */
function storageOver(dtype: DType, block: Block): Storage {
  return new Storage(null as unknown as Device, dtype, block.length, block);
}
