import { create, globals } from "webgpu";
import type { Device, Tensor } from "@robgrad/tensor";
import { elementsOf } from "../../src/device/cpu/buffer.js";
import { factorViews } from "../../src/kernel/column-structure.js";
import type { Factors, Kernel, View } from "../../src/kernel/kernel.js";
import { ShaderBuilder, wordOf, type PrintContext, type Stage } from "../../src/device/webgpu/shader.js";
import { type Storage } from "../../src/storage.js";

process.env["VK_ICD_FILENAMES"] ??= "/usr/lib/chromium/vk_swiftshader_icd.json";

const types = { float32: "f32", float64: "f32", int32: "i32", uint32: "u32", bool: "bool" } as const;

export async function openGpu() {
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const adapter = (await gpu.requestAdapter())!;
  const device = await adapter.requestDevice();
  return { device, keep: gpu };
}

const words = (view: View): Uint32Array => {
  const e = elementsOf(view);
  const out = new Uint32Array(e.length);
  for (let i = 0; i < e.length; i++) out[i] = wordOf(e[i]!, types[view.dtype]);
  return out;
};

export interface Task {
  readonly kernel: Kernel;
  readonly inputs: Map<Storage, { view: View; words: Uint32Array }>;
  readonly outs: readonly View[];
  readonly expected: Float64Array[];
}

function mapFactors(f: Factors, v: (view: View) => View): Factors {
  switch (f.kind) {
    case "dense":
      return { ...f, rows: v(f.rows) };
    case "expanded":
      return { ...f, delta: v(f.delta), x: v(f.x) };
    case "mixed":
      return { ...f, weights: v(f.weights), base: mapFactors(f.base, v) };
    case "summed":
      return { ...f, parts: f.parts.map((p) => mapFactors(p, v)) };
  }
}

const strip = ({ storage, dtype, shape, strides, offset }: View): View => ({ storage, dtype, shape, strides, offset });

export function viewsOf(k: Kernel): { all: readonly View[]; outs: readonly View[] } {
  if (k.form === "column") return { all: [k.out, ...factorViews(k.factors).views, ...k.operands], outs: [k.out] };
  if (k.form === "routine") return { all: [...k.inputs, ...k.outputs], outs: k.outputs };
  return { all: [], outs: [] };
}

/** Records column and routine kernels that run on a cpu device. */
export function record(device: Device): Task[] {
  const tasks: Task[] = [];
  const run = device.run.bind(device);
  device.run = (kernel) => {
    const { all, outs } = viewsOf(kernel);
    const inputs = new Map(all.map((view) => [view.storage, { view: strip(view), words: words(view) }]));
    run(kernel);
    if (all.length > 0)
      tasks.push({ kernel, inputs, outs, expected: outs.map((o) => Float64Array.from(elementsOf(o))) });
  };
  return tasks;
}

export async function onGpu(
  device: GPUDevice,
  { kernel, inputs, outs }: Task,
  stages: (kernel: Kernel, context: PrintContext) => readonly Stage[],
  lanes?: number,
): Promise<Float64Array[]> {
  const buffers = new Map<Storage, Storage>();
  const make = (n: number) =>
    device.createBuffer({
      size: Math.max(16, 4 * n),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
  const twin = (view: View): View => {
    let storage = buffers.get(view.storage);
    if (storage === undefined) {
      const given = inputs.get(view.storage)!;
      const buffer = make(given.words.length);
      device.queue.writeBuffer(buffer, 0, given.words as never);
      storage = {
        ...view.storage,
        length: given.words.length,
        buffer: { buffer, start: 0, length: given.words.length },
      } as never as Storage;
      buffers.set(view.storage, storage);
    }
    return { ...strip(view), storage };
  };
  const context: PrintContext = {
    limits: device.limits,
    scratch: (dtype, shape) => {
      const n = shape.reduce((a, b) => a * b, 1);
      const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
      return {
        storage: { buffer: { buffer: make(n), start: 0, length: n } } as never,
        dtype,
        shape,
        strides,
        offset: 0,
      };
    },
  };
  const twins: Kernel =
    kernel.form === "column"
      ? {
          ...kernel,
          out: twin(kernel.out),
          factors: mapFactors(kernel.factors, twin),
          operands: kernel.operands.map(twin),
        }
      : kernel.form === "routine"
        ? { ...kernel, inputs: kernel.inputs.map(twin), outputs: kernel.outputs.map(twin) }
        : kernel;
  for (const stage of stages(twins, context)) {
    const builder = new ShaderBuilder(lanes ?? stage.lanes);
    const count = stage.print(builder);
    const shader = builder.finish(count);
    if (count === 0) continue;
    device.pushErrorScope("validation");
    if (process.env["DUMP"]) { console.log("lines", shader.code.split("\n").length, "bytes", shader.code.length, "words", shader.words.length); (await import("node:fs")).writeFileSync(`/tmp/dump-${Date.now()}.wgsl`, shader.code); }
    const started = Date.now();
    const module = device.createShaderModule({ code: shader.code });
    const info = await module.getCompilationInfo();
    for (const m of info.messages)
      if (m.type === "error")
        throw new Error(
          `${m.message} at ${m.lineNum}\n${shader.code
            .split("\n")
            .map((l, i) => `${i + 1} ${l}`)
            .join("\n")}`,
        );
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
    const uniform = device.createBuffer({
      size: 16 * Math.max(1, Math.ceil(shader.words.length / 4)),
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(uniform, 0, Uint32Array.from(shader.words) as never);
    const used = (k: number) => new RegExp(`[^_a-z]memory${k}\\[`).test(shader.code);
    const entries: GPUBindGroupEntry[] = [
      ...(shader.words.length > 0 ? [{ binding: 0, resource: { buffer: uniform } }] : []),
      ...shader.bindings.flatMap(({ buffer }, k) => (used(k) ? [{ binding: k + 1, resource: { buffer } }] : [])),
    ];
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(Math.min(65535, count));
    pass.end();
    device.queue.submit([encoder.finish()]);
    const error = await device.popErrorScope();
    await device.queue.onSubmittedWorkDone();
    if (process.env["DUMP"]) console.log("ms", Date.now() - started);
    if (error) throw new Error(error.message + shader.code);
  }
  const results: Float64Array[] = [];
  for (const out of outs) {
    const given = inputs.get(out.storage)!;
    const n = given.words.length;
    const read = device.createBuffer({
      size: Math.max(16, 4 * n),
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const encoder = device.createCommandEncoder();
    const block = buffers.get(out.storage)!.buffer as { buffer: GPUBuffer };
    encoder.copyBufferToBuffer(block.buffer, 0, read, 0, Math.max(4, 4 * n));
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(GPUMapMode.READ);
    const bytes = read.getMappedRange().slice(0);
    read.destroy();
    const type = types[out.dtype];
    results.push(
      Float64Array.from(
        type === "f32"
          ? new Float32Array(bytes, 0, n)
          : type === "i32"
            ? new Int32Array(bytes, 0, n)
            : new Uint32Array(bytes, 0, n),
      ),
    );
  }
  for (const s of buffers.values()) (s.buffer as { buffer: GPUBuffer }).buffer.destroy();
  return results;
}

export type { Tensor };
