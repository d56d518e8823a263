/// <reference types="@webgpu/types" />
import { codedError } from "../../errors.js";
import type { Executor } from "../executor.js";

/** A device of the platform. */
export interface OpenedAdapter {
  readonly device: GPUDevice;
  /** Whether the adapter computes on the CPU: its compiler and its barriers are slow, its dispatches are not. */
  readonly software: boolean;
}

/** Nothing is computed with these: whoever times the device finds the card's clock. */
const wantedFeatures = ["timestamp-query"] as const;

const wantedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

const unavailable = (expected: string, cause?: unknown) =>
  codedError("DEVICE_UNAVAILABLE", `device webgpu: expected ${expected}`, cause === undefined ? undefined : { cause });

interface Process {
  readonly versions?: { readonly node?: string };
  on(event: "exit", listener: () => void): void;
  off(event: "exit", listener: () => void): void;
}

const { process } = globalThis as { readonly process?: Process };

/** Dawn, once there is one: for all devices and for good, as one that is collected takes threads along that others wait for. */
let instance: GPU | undefined;

/** WebGPU of the platform: a browser's, or in Node the optional package `webgpu`. */
async function findGpu(): Promise<GPU> {
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: GPU } };
  if (navigator?.gpu !== undefined) return navigator.gpu;
  if (process?.versions?.node === undefined) {
    throw unavailable('a browser with WebGPU on a page served by https, found none; open "wasm"');
  }
  // Not a literal, so that bundlers for browsers do not look for it.
  const name = "webgpu";
  let dawn: { create(flags: string[]): GPU };
  try {
    dawn = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as typeof dawn;
  } catch (cause) {
    throw unavailable('the package webgpu in Node, found none; npm install webgpu, or open "wasm"', cause);
  }
  return (instance ??= dawn.create([]));
}

/**
 * Finds an adapter and asks it for all it has of what the device can use.
 *
 * @param software  Take an adapter that computes on the CPU, which the wasm device does much faster.
 * @throws          DEVICE_UNAVAILABLE with the next step.
 */
export async function openAdapter(software: boolean): Promise<OpenedAdapter> {
  const gpu = await findGpu();
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  } catch (cause) {
    throw unavailable(`an adapter, found that none could be asked for: ${String(cause)}`, cause);
  }
  if (adapter === null) {
    throw unavailable('an adapter, found none; install a driver for Vulkan, Metal or Direct3D 12, or open "wasm"');
  }
  if (!software && isSoftware(adapter)) {
    throw unavailable(`an adapter in hardware, found ${adapter.info.description}; open "webgpu" by its name alone`);
  }
  const { features, limits } = adapter;
  const requiredLimits = Object.fromEntries(wantedLimits.map((limit) => [limit, limits[limit]]));
  try {
    const device = await adapter.requestDevice({
      requiredFeatures: wantedFeatures.filter((feature) => features.has(feature)),
      requiredLimits,
    });
    endWithProcess(device);
    return { device, software: isSoftware(adapter) };
  } catch (cause) {
    throw unavailable(`adapter ${adapter.info.description} to give a device, found ${String(cause)}`, cause);
  }
}

const alive = new Set<GPUDevice>();
const destroyAll = () => alive.forEach((device) => device.destroy());

/** Work that Dawn for Node has begun must not outlive the process, which it would crash; to destroy a device waits for it. */
function endWithProcess(device: GPUDevice): void {
  if (process?.versions?.node === undefined) return;
  if (alive.size === 0) process.on("exit", destroyAll);
  alive.add(device);
  void device.lost.then(() => {
    alive.delete(device);
    if (alive.size === 0) process.off("exit", destroyAll);
  });
}

function isSoftware({ info }: GPUAdapter): boolean {
  return (
    info.isFallbackAdapter ||
    /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${info.architecture} ${info.device} ${info.description}`)
  );
}

/**
 * Opens the device, whose code is only fetched where there is an adapter for it.
 *
 * @param software  Take an adapter that computes on the CPU.
 * @throws          DEVICE_UNAVAILABLE where WebGPU or an adapter is missing, with the next step.
 */
export async function openWebGpu(software: boolean): Promise<Executor> {
  const opened = await openAdapter(software);
  const { WebGpuExecutor } = await import("./device.js");
  return new WebGpuExecutor(opened);
}
