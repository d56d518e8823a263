import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { binary, integer, ModuleBuilder, type Code } from "../../src/device/wasm/assembler.js";
import { LinearMemory } from "../../src/device/wasm/memory.js";
import { WorkerPool, type Job } from "../../src/device/wasm/threads/worker-pool.js";

let memory: LinearMemory;
let pool: WorkerPool;
afterEach(() => pool.close());

/** A job whose parts count, each at its own place: in WebAssembly on workers, in JavaScript on this thread. */
function counting(parts: number): { readonly job: Job; readonly counts: Int32Array; readonly address: number } {
  const block = memory.allocate("int32", parts);
  const module = new ModuleBuilder({ shared: true });
  for (let part = 0; part < parts; part++) {
    const index = module.function(["i32", "i32"], [], (f, start) => {
      const place = { base: start!.get, offset: 4 * part };
      const before: Code = (g) => g.load("i32.load", place);
      f.store("i32.store", place, binary("i32.add", before, integer(1)));
    });
    module.export(`${part}`, index);
  }
  const counts = memory.elements(block) as Int32Array;
  const mine = (part: number) => () => void (counts[part] = (counts[part] as number) + 1);
  const job: Job = {
    bytes: module.finish(),
    parts: Array.from({ length: parts }, (_, part) => mine(part)),
    scratchAt: 1,
    scratch: 0,
    place: null,
  };
  return { job, counts, address: block.address };
}

describe("a pool of workers", () => {
  beforeEach(async () => {
    memory = new LinearMemory(true);
    pool = await WorkerPool.open(memory, 4);
  });

  it("runs every part of every job once", () => {
    const jobs = [1, 2, 7, 255].map(counting);
    const turns = 3000;
    for (let turn = 0; turn < turns; turn++) for (const { job, address } of jobs) pool.run(job, [address, 0]);
    for (const { counts } of jobs) expect(new Set(counts)).toEqual(new Set([turns]));
  });

  it("finds jobs again that were forgotten", () => {
    const jobs = [3, 5].map(counting);
    for (let turn = 0; turn < 100; turn++) {
      for (const { job, address } of jobs) pool.run(job, [address, 0]);
      pool.forget();
    }
    for (const { counts } of jobs) expect(new Set(counts)).toEqual(new Set([100]));
  });

  it("gives each thread working memory of its own", () => {
    const block = memory.allocate("int32", 4 * 16);
    const used = memory.elements(block).fill(0) as Int32Array;
    const module = new ModuleBuilder({ shared: true });
    const index = module.function(["i32"], [], (f, scratch) => {
      f.store("i32.store", { base: scratch!.get, offset: 0 }, integer(1));
    });
    for (let part = 0; part < 255; part++) module.export(`${part}`, index);
    const places = () => [...used.keys()].filter((k) => Atomics.load(used, k) !== 0);
    const parts = Array.from({ length: 255 }, () => (address: number) => {
      expect(address).toBe(block.address);
      // The first part here lasts until somebody else has had one.
      while (places().length === 0);
    });
    pool.run({ bytes: module.finish(), parts, scratchAt: 0, scratch: 64, place: null }, [block.address]);
    expect(places().length).toBeGreaterThan(0);
    for (const place of places()) expect([16, 32, 48]).toContain(place);
  });
});

describe("a worker that does not come back", () => {
  beforeEach(async () => {
    memory = new LinearMemory(true);
    pool = await WorkerPool.open(memory, 2, undefined, 1);
  });

  /** Two parts: this thread's waits for the worker to have the other, in which it writes to memory, then `fate`. */
  function doomed(fate: (module: ModuleBuilder, address: number) => Uint8Array): Job {
    const block = memory.allocate("int32", 1);
    const started = memory.elements(block).fill(0) as Int32Array;
    const wait = () => {
      while (Atomics.load(started, 0) === 0);
    };
    const module = new ModuleBuilder({ shared: true });
    return { bytes: fate(module, block.address), parts: [wait, wait], scratchAt: 0, scratch: 0, place: null };
  }

  it("is lost when it traps", () => {
    const job = doomed((module, address) => {
      const index = module.function(["i32"], [], (f) => {
        f.store("i32.store", { base: null, offset: address }, integer(1));
        f.store("i32.store", { base: integer(-4), offset: 0 }, integer(1));
      });
      for (const part of ["0", "1"]) module.export(part, index);
      return module.finish();
    });
    expect(() => pool.run(job, [0])).toThrow(expect.objectContaining({ code: "WORKER_LOST" }));
    expect(() => pool.check()).toThrow(expect.objectContaining({ code: "WORKER_LOST" }));
    expect(() => pool.run(counting(2).job, [0, 0])).toThrow(expect.objectContaining({ code: "WORKER_LOST" }));
  });

  it("is lost when it is silent", () => {
    const job = doomed((module, address) => {
      const index = module.function(["i32"], [], (f) => {
        f.store("i32.store", { base: null, offset: address }, integer(1));
        f.loop(() => f.branchIf(0, integer(1)));
      });
      for (const part of ["0", "1"]) module.export(part, index);
      return module.finish();
    });
    expect(() => pool.run(job, [0])).toThrow(expect.objectContaining({ code: "WORKER_LOST" }));
    expect(() => pool.check()).toThrow(expect.objectContaining({ code: "WORKER_LOST" }));
  });
});
