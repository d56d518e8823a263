/// <reference types="@webgpu/types" />
import { codedError } from "../../errors.js";
import { usage, type Block } from "./memory.js";
import type { Binding, Shader } from "./shader.js";
import { Trouble } from "./trouble.js";

/** Bytes of a uniform that a shader sees: as many as every implementation allows; its words are fewer. */
export const uniformBytes = 65536;
/** Uniforms begin at multiples of this. */
export const uniformAlignment = 256;
const uniformsBytes = 2 ** 18;
/** Dispatches are submitted when there are as many, at reads, writes, and at the end of the current task. */
const mostDispatches = 256;
const mostGroups = 4096;
/** Letters of a pipeline's label, which tools that look at a card's work show. */
const mostLabel = 160;

interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** A dispatch whose pipeline, memory and uniform are bound. */
export interface Bound {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  /** Of its words in the uniform buffer. */
  readonly offset: number;
  readonly x: number;
  readonly y: number;
  /** Where the device finds how many workgroups there are instead, in bytes. */
  readonly indirect: Indirect | null;
}

/** A place with three words: workgroups along every dimension. */
export interface Indirect {
  readonly buffer: GPUBuffer;
  readonly offset: number;
}

interface PendingRead {
  readonly staging: GPUBuffer;
  readonly words: number;
  readonly resolve: (words: Uint32Array) => void;
  readonly reject: (error: unknown) => void;
}

/** The queue of a device: shaders are compiled once a text, dispatches gathered into submissions. */
export class Queue {
  readonly trouble = new Trouble();
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  #groups = new Map<string, GPUBindGroup>();
  readonly #numbers = new WeakMap<GPUBuffer, number>();
  #buffers = 0;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #dispatches = 0;
  #scheduled = false;
  readonly #uniform: GPUBuffer;
  readonly #words = new Uint32Array(uniformsBytes / 4);
  #usedBytes = 0;
  #reads: PendingRead[] = [];
  readonly #staging = new Map<number, GPUBuffer[]>();
  #lost: string | null = null;
  #closed = false;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#uniform = device.createBuffer({
      size: uniformsBytes + uniformBytes,
      usage: usage.UNIFORM | usage.COPY_DST,
    });
    void device.lost.then(({ message }) => (this.#lost ??= message));
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.trouble.note(event.error, "what was asked of it");
    });
  }

  /** Throws once the device is gone. */
  checkAlive(): void {
    if (this.#lost !== null) throw this.#loss();
  }

  #loss() {
    return this.#closed
      ? codedError("DISPOSED", "device webgpu: expected an open device, found one that was disposed")
      : codedError(
          "DEVICE_LOST",
          `device webgpu: expected the device to be there, found it lost${this.#lost ? ` (${this.#lost})` : ""}; open another one`,
        );
  }

  /** A buffer; should there be too little memory, the next read says so. */
  buffer(size: number, use: number): GPUBuffer {
    return this.trouble.watch(
      this.#device,
      ["validation", "out-of-memory"],
      () => `a buffer of ${size} bytes`,
      () => this.#device.createBuffer({ size, usage: use }),
    );
  }

  /** @param of  Says what the shader is part of, should the driver refuse it. */
  pipeline(shader: Shader, of: () => string): Pipeline {
    let found = this.#pipelines.get(shader.code);
    if (found === undefined) this.#pipelines.set(shader.code, (found = this.#compile(shader, of)));
    return found;
  }

  #compile({ code, bindings }: Shader, of: () => string): Pipeline {
    const device = this.#device;
    const layout = this.#layout(bindings);
    const subject = of();
    let module: GPUShaderModule;
    const pipeline = this.trouble.watch(
      device,
      ["validation"],
      () => subject,
      () => {
        module = device.createShaderModule({ code });
        return device.createComputePipeline({
          label: subject.slice(0, mostLabel),
          layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
          compute: { module, entryPoint: "main" },
        });
      },
      async () => {
        const { messages } = await module.getCompilationInfo();
        const lines = code.split("\n");
        return messages.map(({ lineNum, message }) => `; line ${lineNum}, ${lines[lineNum - 1]}: ${message}`).join("");
      },
    );
    return { pipeline, layout };
  }

  #layout(bindings: readonly Binding[]): GPUBindGroupLayout {
    const key = bindings.map(({ written }) => (written ? "w" : "r")).join("");
    let layout = this.#layouts.get(key);
    if (layout === undefined) {
      const visibility = 4; // GPUShaderStage.COMPUTE
      layout = this.#device.createBindGroupLayout({
        entries: [
          { binding: 0, visibility, buffer: { type: "uniform", hasDynamicOffset: true } },
          ...bindings.map(({ written }, k) => ({
            binding: k + 1,
            visibility,
            buffer: { type: written ? ("storage" as const) : ("read-only-storage" as const) },
          })),
        ],
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  /** A group of the shader's memory with a buffer of uniforms. */
  group(shader: Shader, layout: GPUBindGroupLayout, uniform: GPUBuffer): GPUBindGroup {
    return this.#device.createBindGroup({
      layout,
      entries: [
        { binding: 0, resource: { buffer: uniform, size: uniformBytes } },
        ...shader.bindings.map(({ buffer }, k) => ({ binding: k + 1, resource: { buffer } })),
      ],
    });
  }

  #knownGroup(shader: Shader, layout: GPUBindGroupLayout): GPUBindGroup {
    const key = shader.bindings.map(({ buffer, written }) => `${this.#numberOf(buffer)}${written ? "w" : "r"}`).join();
    let group = this.#groups.get(key);
    if (group === undefined) {
      if (this.#groups.size >= mostGroups) this.#groups.clear();
      this.#groups.set(key, (group = this.group(shader, layout, this.#uniform)));
    }
    return group;
  }

  #numberOf(buffer: GPUBuffer): number {
    let number = this.#numbers.get(buffer);
    if (number === undefined) this.#numbers.set(buffer, (number = this.#buffers++));
    return number;
  }

  /** Queues a shader. */
  dispatch(shader: Shader, of: () => string, indirect: Indirect | null = null): void {
    const { pipeline, layout } = this.pipeline(shader, of);
    const bytes = uniformAlignment * Math.max(1, Math.ceil((4 * shader.words.length) / uniformAlignment));
    if (this.#usedBytes + bytes > uniformsBytes) this.flush();
    const offset = this.#usedBytes;
    this.#words.set(shader.words, offset / 4);
    this.#usedBytes += bytes;
    const group = this.#knownGroup(shader, layout);
    this.encode({ pipeline, group, offset, indirect, ...spread(shader.workgroups, this.#device.limits) });
  }

  encode({ pipeline, group, offset, x, y, indirect }: Bound): void {
    this.checkAlive();
    const pass = (this.#pass ??= this.#commands().beginComputePass());
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group, [offset]);
    if (indirect === null) pass.dispatchWorkgroups(x, y);
    else pass.dispatchWorkgroupsIndirect(indirect.buffer, indirect.offset);
    if (++this.#dispatches >= mostDispatches) this.flush();
  }

  /** Queues a copy of words. */
  copy(from: GPUBuffer, start: number, to: GPUBuffer, place: number, words: number): void {
    const commands = this.#commands();
    this.#endPass();
    commands.copyBufferToBuffer(from, 4 * start, to, 4 * place, 4 * words);
  }

  #commands(): GPUCommandEncoder {
    if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(() => {
        this.#scheduled = false;
        if (this.#lost === null) this.flush();
      });
    }
    return (this.#encoder ??= this.#device.createCommandEncoder());
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
  }

  /** Submits what is queued. */
  flush(): void {
    const encoder = this.#encoder;
    if (encoder === null) return;
    this.#endPass();
    this.#encoder = null;
    this.#dispatches = 0;
    const device = this.#device;
    if (this.#usedBytes > 0) device.queue.writeBuffer(this.#uniform, 0, this.#words, 0, this.#usedBytes / 4);
    this.#usedBytes = 0;
    this.trouble.watch(
      device,
      ["validation", "out-of-memory"],
      () => "a submission",
      () => device.queue.submit([encoder.finish()]),
    );
    for (const read of this.#reads.splice(0)) void this.#finish(read);
  }

  write({ buffer, start }: Block, words: ArrayBufferView<ArrayBuffer>): void {
    this.checkAlive();
    this.flush();
    this.#device.queue.writeBuffer(buffer, 4 * start, words);
  }

  /** The words of a block as they are when everything queued before has run. */
  read({ buffer, start }: Block, first: number, words: number): Promise<Uint32Array> {
    if (this.#lost !== null) return Promise.reject(this.#loss());
    const size = 2 ** Math.ceil(Math.log2(Math.max(64, words)));
    const staging =
      this.#staging.get(size)?.pop() ??
      this.#device.createBuffer({ size: 4 * size, usage: usage.MAP_READ | usage.COPY_DST });
    this.copy(buffer, start + first, staging, 0, words);
    return new Promise((resolve, reject) => this.#reads.push({ staging, words, resolve, reject }));
  }

  async #finish({ staging, words, resolve, reject }: PendingRead): Promise<void> {
    try {
      await staging.mapAsync(1, 0, 4 * Math.max(1, words));
      const found = new Uint32Array(staging.getMappedRange(0, 4 * words).slice(0));
      staging.unmap();
      const size = staging.size / 4;
      const free = this.#staging.get(size);
      if (free === undefined) this.#staging.set(size, [staging]);
      else if (4 * size * free.length < 2 ** 24) free.push(staging);
      else staging.destroy();
      await this.trouble.report();
      resolve(found);
    } catch (error) {
      if (this.#lost === null) await Promise.race([this.#device.lost, new Promise((r) => setTimeout(r, 0))]);
      reject(this.#lost === null ? error : this.#loss());
    }
  }

  /** Forgets groups that name buffers about to be destroyed. */
  beforeDestroy(): void {
    this.flush();
    this.#groups = new Map();
  }

  close(): void {
    this.#closed = true;
    this.#lost ??= "disposed";
    const closed = this.#reads.splice(0);
    for (const { reject } of closed) reject(this.#loss());
    this.#device.destroy();
  }
}

/** Workgroups over two dimensions where one does not hold them. */
export function spread(
  workgroups: number,
  { maxComputeWorkgroupsPerDimension: most }: GPUSupportedLimits,
): { readonly x: number; readonly y: number } {
  const y = Math.ceil(workgroups / most);
  return { x: Math.ceil(workgroups / Math.max(1, y)), y };
}
