import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { noise, noiseImages, normal } from "../src/inputs.js";
import { distance } from "../src/distance.js";
import type { Job, Peer } from "../src/peers/peer.js";
import { openPlain } from "../src/peers/plain/plain.js";
import { openRobgrad } from "../src/peers/robgrad/robgrad.js";
import type { TrainingWork, Work } from "../src/work.js";
import { works } from "../src/works/works.js";

/** The work as it is, or with the same rule on a size that takes no time. */
function small(work: Work): Work {
  if (work.kind === "product") return { ...work, rows: 20, inner: 12, columns: 16 };
  if (work.kind === "chain") return { ...work, length: 1000 };
  if (work.kind === "convolution") {
    const [samples, side, channels] = [9, 16, [2, 3, 4]] as const;
    return {
      ...work,
      samples,
      side,
      channels,
      data: () => noiseImages(samples, side, channels, work.kernel, work.classes),
    };
  }
  if (work.kind === "sequence") return { ...work, steps: 4, batch: 3, inputs: 5, hidden: 6 };
  if (work.samples === 100) return work;
  const [samples, widths] = [32, [20, 9, 7, 4]];
  return { ...work, samples, widths, data: () => noise(normal, samples, widths) } satisfies TrainingWork;
}

describe.each(["cpu", "wasm"] as const)("every work on %s", (device) => {
  let own: Peer;
  const plain = openPlain(Float64Array);
  beforeEach(async () => {
    own = await openRobgrad(device, { dtype: "float64" });
  });
  afterEach(() => own.dispose?.());

  const after = async (job: Job, calls: number) => {
    await job.reset();
    await job.run(calls);
    return (await job.values()).map((values) => Float64Array.from(values));
  };

  it.each(
    works.filter(({ id }) => !/^mnist.*-(uniform|digits)$/.test(id)).map((work) => [work.id, small(work)] as const),
  )("%s gives what loops in float64 give, after one step, two, and two from the start again", async (_, work) => {
    const [found, expected] = [await own.prepare(work), await plain.prepare(work)];
    // The iteration of a geometric median stops at its tolerance, from another start.
    const tolerance = work.kind === "training" && work.rule.kind === "gmom" ? 1e-4 : 1e-9;
    for (const calls of [1, 2, 2]) {
      const [a, b] = [await after(found, calls), await after(expected, calls)];
      expect(a.map(({ length }) => length)).toEqual(b.map(({ length }) => length));
      expect(distance(a, b)).toBeLessThan(tolerance);
    }
  });
});

describe("mnist-digits", () => {
  it("has enlarged digits with a border of zeros", () => {
    const digits = works.find(({ id }) => id === "mnist-digits") as TrainingWork;
    const { x, labels } = digits.data();
    expect([x.length, labels.length]).toEqual([256 * 784, 256]);
    const first = Array.from({ length: 28 }, (_, row) => [...x.subarray(row * 28, (row + 1) * 28)]);
    expect(first[1]).toEqual(new Array(28).fill(0));
    expect(first.every((row) => [0, 1, 26, 27].every((column) => row[column] === 0))).toBe(true);
    expect(first[2]).toEqual(first[4]);
    expect(x.reduce((largest, pixel) => Math.max(largest, pixel), 0)).toBe(1);
  });
});
