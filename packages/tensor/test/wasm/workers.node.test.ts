import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Worker } from "node:worker_threads";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openDevice, tidy, type Device, type DeviceOptions, type Tensor } from "@robgrad/tensor";
import { workerSource } from "../../src/device/wasm/threads/worker-source.js";

/** Opens a device, and hands out the workers it starts. */
async function watched(
  threads: number,
  options: DeviceOptions = {},
): Promise<{ readonly device: Device; readonly workers: Worker[] }> {
  const workers: Worker[] = [];
  const note = (worker: Worker) => void workers.push(worker);
  process.on("worker", note);
  const device = await openDevice("wasm", { ...options, threads });
  process.off("worker", note);
  return { device, workers };
}

const ended = (worker: Worker) => new Promise((resolve) => worker.once("exit", resolve));

/** A product that is worth sharing. */
const product = (device: Device) =>
  tidy(() => {
    const a = device.full([256, 256], 0.5);
    return a.matmul(a);
  });

describe("workers", () => {
  it("are as many as were asked for beside the thread that asks", async () => {
    for (const threads of [1, 2, 4]) {
      const { device, workers } = await watched(threads);
      expect(workers).toHaveLength(threads - 1);
      device.dispose();
    }
  });

  it("may come from a file, as a script or as a module", async () => {
    const folder = await mkdtemp(join(tmpdir(), "robgrad-worker-"));
    for (const name of ["worker.cjs", "worker.mjs"]) {
      const file = join(folder, name);
      await writeFile(file, workerSource);
      const { device, workers } = await watched(2, { workerUrl: pathToFileURL(file) });
      expect(workers).toHaveLength(1);
      expect(await product(device).mean().item()).toBe(64);
      device.dispose();
    }
    await rm(folder, { recursive: true });
  });

  it("end with their device, while idle and right after work", async () => {
    for (const work of [() => {}, (device: Device) => void product(device)]) {
      const { device, workers } = await watched(3);
      const exits = Promise.all(workers.map(ended));
      work(device);
      device.dispose();
      device.dispose();
      expect(await exits).toHaveLength(2);
    }
  });

  it("that die make the next large kernel throw WORKER_LOST, and the process goes on", async () => {
    const { device, workers } = await watched(3);
    const before = product(device);
    await workers[1]?.terminate();
    expect(() => product(device)).toThrow(
      expect.objectContaining({ code: "WORKER_LOST", message: expect.stringContaining("open a new device") }),
    );
    // What was computed before is still there, and small kernels need no workers.
    expect(await before.slice([0, 1], [0, 1]).item()).toBe(64);
    device.dispose();

    const anew = await watched(3);
    expect(await product(anew.device).mean().item()).toBe(64);
    anew.device.dispose();
  });
});

describe("shared memory", () => {
  it("grows while workers are at work on it", async () => {
    const { device } = await watched(3);
    const plain = await openDevice("wasm");
    const chain = async (on: Device) => {
      const kept: Tensor[] = [];
      const sums: number[] = [];
      for (let k = 1; k <= 12; k++) {
        // Each is larger than what there was before, and its kernels are new to the workers.
        const x = on.arange(50_000 * k).mul(1e-3);
        kept.push(
          x,
          x.map((u) => u.sin().add(k)),
        );
        sums.push(await (kept.at(-1) as Tensor).sum().item());
      }
      for (const tensor of kept) tensor.dispose();
      return sums;
    };
    expect(await chain(device)).toEqual(await chain(plain));
    device.dispose();
    plain.dispose();
  });

  it("has the limits of memory that is not shared", async () => {
    const limited = await openDevice("wasm", { threads: 2, memoryLimit: 1e6 });
    expect(() => limited.zeros([500, 501])).toThrow(expect.objectContaining({ code: "MEMORY_LIMIT" }));
    limited.dispose();
    const device = await openDevice("wasm", { threads: 2 });
    expect(() => device.zeros([2 ** 15, 2 ** 15])).toThrow(expect.objectContaining({ code: "MEMORY_LIMIT" }));
    expect(await product(device).mean().item()).toBe(64);
    device.dispose();
  });
});

describe("where threads cannot be had", () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  it.each<readonly [string, () => void, Record<string, unknown>]>([
    ["memory cannot be shared", () => vi.stubGlobal("SharedArrayBuffer", undefined), {}],
    ["a page is not isolated", () => vi.stubGlobal("crossOriginIsolated", false), {}],
    ["workers do not start", () => {}, { workerUrl: "file:///nowhere/worker.js" }],
  ])("because %s, one thread does everything and says so once", async (_, arrange, options) => {
    const reported = (globalThis as unknown as Record<symbol, Set<string> | undefined>)[Symbol.for("robgrad.reported")];
    reported?.delete("threads");
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    arrange();
    for (let k = 0; k < 2; k++) {
      const device = await openDevice("wasm", { threads: 2, ...options });
      expect(await product(device).mean().item()).toBe(64);
      device.dispose();
    }
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toMatch(/^openDevice: the wasm device runs on one thread: /);
  });

  it("nothing is said to those who did not ask", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    vi.stubGlobal("SharedArrayBuffer", undefined);
    const device = await openDevice("wasm");
    expect(await product(device).mean().item()).toBe(64);
    device.dispose();
    expect(warn).not.toHaveBeenCalled();
  });

  it.each([0, -1, 1.5, NaN, 1000])("%d threads are refused", async (threads) => {
    await expect(openDevice("wasm", { threads })).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
  });
});
