/// <reference types="@webgpu/types" />
import type * as Dawn from "webgpu";

/** How long work took, in milliseconds: on the card's clock, where it has one, and on the wall. */
interface Span {
  readonly card: number | null;
  readonly wall: number;
}

interface OpenedGpu {
  /** The adapter in words. */
  readonly adapter: string;
  /** Times what `work` asks of the device that is opened next, up to its last wait. */
  readonly clock: (work: () => Promise<void>) => Promise<Span>;
  /** Times every dispatch of `work` on the card's clock, in passes of their own; none where it has no clock. */
  readonly profile: (work: () => Promise<void>) => Promise<Dispatched[]>;
}

/** All dispatches of one pipeline: how many, and how long they took together, in milliseconds. */
interface Dispatched {
  readonly label: string;
  readonly count: number;
  readonly card: number;
}

/** Dispatches that a profile takes the time of, at most: a set holds 4096 queries. */
const mostProfiled = 2048;

/** Makes Dawn this program's WebGPU, so that the device which robgrad opens can be timed. */
export async function openGpu(): Promise<OpenedGpu> {
  // Not a literal: it stays beside the bundle, since it finds its binary by where it is.
  const name = "webgpu";
  const { create, globals } = (await import(name)) as typeof Dawn;
  Object.assign(globalThis, globals);
  // Otherwise the card's clock is rounded to 0.1 ms.
  const gpu = create(["disable-dawn-features=timestamp_quantization"]);
  Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) throw new Error("expected an adapter, found none: is there a Vulkan driver beside the card?");
  const { vendor, architecture, device: model, description } = adapter.info;
  let opened: GPUDevice | null = null;
  const requestAdapter = gpu.requestAdapter.bind(gpu);
  gpu.requestAdapter = async (options) => {
    const found = await requestAdapter(options);
    const requestDevice = found?.requestDevice.bind(found);
    if (found && requestDevice) {
      found.requestDevice = async (descriptor) => (opened = await requestDevice(descriptor));
    }
    return found;
  };
  const clock = async (work: () => Promise<void>): Promise<Span> => {
    const device = opened as GPUDevice | null;
    if (device === null || !device.features.has("timestamp-query")) {
      const start = performance.now();
      await work();
      return { card: null, wall: performance.now() - start };
    }
    const queries = device.createQuerySet({ type: "timestamp", count: 2 });
    const resolved = device.createBuffer({ size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    const read = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const stamp = (index: number) => {
      const encoder = device.createCommandEncoder();
      encoder.beginComputePass({ timestampWrites: { querySet: queries, endOfPassWriteIndex: index } }).end();
      device.queue.submit([encoder.finish()]);
    };
    const start = performance.now();
    stamp(0);
    // Up to its first wait everything is submitted.
    const done = work();
    stamp(1);
    await done;
    const wall = performance.now() - start;
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(queries, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, read, 0, 16);
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(GPUMapMode.READ);
    const [first, last] = new BigUint64Array(read.getMappedRange().slice(0)) as unknown as [bigint, bigint];
    for (const buffer of [resolved, read]) buffer.destroy();
    queries.destroy();
    return { card: Number(last - first) / 1e6, wall };
  };
  const profile = async (work: () => Promise<void>): Promise<Dispatched[]> => {
    const device = opened as GPUDevice | null;
    if (device === null || !device.features.has("timestamp-query")) return [];
    const queries = device.createQuerySet({ type: "timestamp", count: 2 * mostProfiled });
    const labels: string[] = [];
    const createCommandEncoder = device.createCommandEncoder.bind(device);
    device.createCommandEncoder = (descriptor) => {
      const encoder = createCommandEncoder(descriptor);
      const begin = encoder.beginComputePass.bind(encoder);
      encoder.beginComputePass = () => dividedPass(begin, queries, labels);
      return encoder;
    };
    try {
      await work();
    } finally {
      device.createCommandEncoder = createCommandEncoder;
    }
    const size = 16 * labels.length;
    if (size === 0) return [];
    const resolved = device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    const read = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(queries, 0, 2 * labels.length, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, read, 0, size);
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(GPUMapMode.READ);
    const stamps = new BigUint64Array(read.getMappedRange().slice(0));
    for (const buffer of [resolved, read]) buffer.destroy();
    queries.destroy();
    const totals = new Map<string, Dispatched>();
    labels.forEach((label, k) => {
      const { count, card } = totals.get(label) ?? { count: 0, card: 0 };
      const span = Number((stamps[2 * k + 1] as bigint) - (stamps[2 * k] as bigint)) / 1e6;
      totals.set(label, { label, count: count + 1, card: card + span });
    });
    return [...totals.values()].sort((a, b) => b.card - a.card);
  };
  return { profile, adapter: [vendor, architecture, model, description].filter(Boolean).join(", "), clock };
}

/** A pass that opens one for every dispatch, with the card's clock before and after it. */
function dividedPass(
  begin: GPUCommandEncoder["beginComputePass"],
  querySet: GPUQuerySet,
  labels: string[],
): GPUComputePassEncoder {
  let pipeline: GPUComputePipeline;
  let group: GPUBindGroup;
  let offsets: number[];
  const divided = (dispatch: (pass: GPUComputePassEncoder) => void): undefined => {
    const k = labels.length;
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * k, endOfPassWriteIndex: 2 * k + 1 };
    const pass = begin(k < mostProfiled ? { timestampWrites } : undefined);
    if (k < mostProfiled) labels.push(pipeline.label);
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group, offsets);
    dispatch(pass);
    pass.end();
  };
  const pass: Pick<
    GPUComputePassEncoder,
    "setPipeline" | "dispatchWorkgroups" | "dispatchWorkgroupsIndirect" | "end"
  > & { setBindGroup: (index: number, group: GPUBindGroup, offsets: number[]) => undefined } = {
    setPipeline: (one) => {
      pipeline = one;
      return undefined;
    },
    setBindGroup: (_, one, own) => {
      [group, offsets] = [one, own];
      return undefined;
    },
    dispatchWorkgroups: (x, y) => divided((own) => own.dispatchWorkgroups(x, y)),
    dispatchWorkgroupsIndirect: (buffer, at) => divided((own) => own.dispatchWorkgroupsIndirect(buffer, at)),
    end: () => undefined,
  };
  return pass as GPUComputePassEncoder;
}
