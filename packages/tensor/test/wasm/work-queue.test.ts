import { beforeEach, describe, expect, it } from "vitest";
import { LinearMemory } from "../../src/device/wasm/memory.js";
import { Part, PartMissing } from "../../src/device/wasm/part.js";
import { WorkQueue } from "../../src/device/wasm/work-queue.js";
import { coded } from "../coded.js";

/** A part that arrives, or is lost, when it is told to. */
function partOf(name: string) {
  let settle: { arrive: () => void; lose: (cause: Error) => void } | undefined;
  let asked = 0;
  const part = new Part<string>(name, () => {
    asked++;
    return new Promise((resolve, reject) => {
      settle = { arrive: () => resolve(name), lose: reject };
    });
  });
  return {
    part,
    asked: () => asked,
    arrive: () => settle?.arrive(),
    lose: () => settle?.lose(new Error("no network")),
  };
}

describe("Part", () => {
  it("is there once it has been loaded", async () => {
    const { part, arrive } = partOf("sines");
    expect(() => part.module).toThrow("sines");
    const loading = part.load();
    arrive();
    await loading;
    expect(part.module).toBe("sines");
  });

  it("rejects with IO_FAILED and its name, and asks again", async () => {
    const { part, lose, arrive, asked } = partOf("sines");
    let loading = part.load();
    lose();
    await expect(loading).rejects.toEqual(coded("IO_FAILED", "part for sines"));
    loading = part.load();
    arrive();
    await loading;
    expect([part.module, asked()]).toEqual(["sines", 2]);
  });
});

describe("WorkQueue", () => {
  let queue: WorkQueue;
  let done: string[];
  let catchingUp: boolean;
  const work = (name: string) => () => {
    done.push(catchingUp ? `${name} later` : name);
  };
  const needing = (part: Part<string>) => () => {
    done.push(part.module);
  };
  const read = () => queue.read(() => done.join());

  beforeEach(() => {
    done = [];
    catchingUp = false;
    queue = new WorkQueue((is) => {
      catchingUp = is;
    });
  });

  it("does work at the call while nothing is missing", async () => {
    queue.do(work("a"));
    expect(done).toEqual(["a"]);
    queue.always(work("b"));
    expect(await read()).toBe("a,b");
    expect(queue.waits).toBe(false);
  });

  it("keeps the order of everything behind what waits", async () => {
    const { part, arrive } = partOf("part");
    queue.do(work("a"));
    queue.do(needing(part));
    queue.do(work("b"));
    const between = read();
    queue.always(work("c"));
    queue.do(needing(part));
    expect(queue.waits).toBe(true);
    expect(done).toEqual(["a"]);
    arrive();
    expect(await between).toBe("a,part,b later");
    expect(await read()).toBe("a,part,b later,c later,part");
    expect(queue.waits).toBe(false);
    queue.do(needing(part));
    expect(await read()).toBe("a,part,b later,c later,part,part");
  });

  it("waits for one part after the other", async () => {
    const [first, second] = [partOf("first"), partOf("second")];
    queue.do(needing(first.part));
    queue.do(needing(second.part));
    queue.do(work("last"));
    const end = read();
    first.arrive();
    await expect.poll(() => second.asked()).toBe(1);
    expect(done).toEqual(["first"]);
    expect(catchingUp).toBe(false);
    queue.do(work("behind"));
    second.arrive();
    expect(await end).toBe("first,second,last later");
    expect(await read()).toBe("first,second,last later,behind later");
  });

  it("is told more than once that something is missing", async () => {
    const [first, second] = [partOf("first"), partOf("second")];
    queue.do(needing(first.part));
    for (const { part } of [first, second]) {
      queue.waitFor(new PartMissing(part));
    }
    expect([first.asked(), second.asked()]).toEqual([1, 0]);
    first.arrive();
    expect(await read()).toBe("first");
    expect(queue.waits).toBe(false);
  });

  it("throws at the call what is wrong there", () => {
    const wrong = () => {
      throw new RangeError("too much");
    };
    expect(() => queue.do(wrong)).toThrow("too much");
    expect(queue.waits).toBe(false);
  });

  it("rejects the reads behind a part that is lost, and leaves out the work behind it", async () => {
    const { part, lose } = partOf("part");
    queue.do(needing(part));
    queue.do(work("left out"));
    queue.always(work("writing"));
    const reads = [read(), read()];
    lose();
    for (const pending of reads) await expect(pending).rejects.toEqual(coded("IO_FAILED", "part for part"));
    expect(done).toEqual(["writing later"]);
    expect(await read()).toBe("writing later");
    queue.do(work("usable"));
    expect(await read()).toBe("writing later,usable");
  });

  it("does what came before the work that needs the lost part", async () => {
    const [late, lost] = [partOf("late"), partOf("lost")];
    queue.do(needing(late.part));
    queue.do(work("a"));
    const before = read();
    queue.do(needing(lost.part));
    const after = read();
    late.arrive();
    expect(await before).toBe("late,a later");
    lost.lose();
    await expect(after).rejects.toEqual(coded("IO_FAILED", "lost"));
  });

  it("reports a failure to the next read when none was waiting", async () => {
    const { part, lose } = partOf("part");
    queue.do(needing(part));
    lose();
    await expect.poll(() => queue.waits).toBe(false);
    await expect(read()).rejects.toEqual(coded("IO_FAILED"));
    expect(await read()).toBe("");
  });

  it("rejects a read that throws, and that one only", async () => {
    const { part, arrive } = partOf("part");
    const lost = () =>
      queue.read((): string => {
        throw new Error("a worker is lost");
      });
    await expect(lost()).rejects.toThrow("a worker is lost");
    queue.do(needing(part));
    const pending = lost();
    const behind = read();
    arrive();
    await expect(pending).rejects.toThrow("a worker is lost");
    expect(await behind).toBe("part");
  });

  it("rejects the reads behind work that throws when its turn comes", async () => {
    const { part, arrive } = partOf("part");
    queue.do(needing(part));
    const before = read();
    queue.do(() => {
      throw new RangeError("too much");
    });
    const after = read();
    arrive();
    expect(await before).toBe("part");
    await expect(after).rejects.toThrow("too much");
    expect(await read()).toBe("part");
  });
});

describe("LinearMemory", () => {
  it("hands out no freed block while it does not reuse them", () => {
    const memory = new LinearMemory();
    const first = memory.allocate("float32", 100);
    memory.free(first);
    memory.reuses = false;
    const second = memory.allocate("float32", 100);
    expect(second.address).not.toBe(first.address);
    memory.reuses = true;
    expect(memory.allocate("float32", 100).address).toBe(first.address);
  });
});
