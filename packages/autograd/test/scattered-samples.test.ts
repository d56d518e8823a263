import { linear, sampleGradients, Variable } from "@robgrad/autograd";
import { openDevice, type Device } from "@robgrad/tensor";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

let device: Device;
let W: Variable;

const batch = () => device.rng(2).normal([6, 2], { dtype: "float64" });
const mixes = expect.objectContaining({ code: "SAMPLES_MIXED" });

/** Rows must not see other samples: those of sample 0 stay when sample 5 is displaced. */
async function rowsOf(losses: (x: ReturnType<typeof batch>) => Variable): Promise<number[][]> {
  return (await sampleGradients(losses(batch()), [W]).get(W)!.rows().toArray()) as number[][];
}

describe.each(["cpu", "wasm"] as const)("on %s", (name) => {
  beforeEach(async () => {
    device = await openDevice(name);
    vi.spyOn(console, "warn").mockImplementation(() => {});
    W = new Variable(device.rng(1).normal([4, 2], { dtype: "float64" }), { name: "W" });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    device.dispose();
  });

  describe("samples torn apart by a reshape", () => {
    it("are refused when a statistic joins them: batch normalization in groups", () => {
      const h = linear(batch(), W).reshape([2, 3, 4]);
      const n = h.sub(h.mean({ axis: 1, keepdims: true })).reshape([6, 4]);
      expect(() => sampleGradients(n.square().sum({ axis: 1 }), [W])).toThrow(mixes);
    });

    it("are refused when a reshape stood for a transpose", () => {
      expect(() => sampleGradients(linear(batch(), W).reshape([4, 6]).sum({ axis: 0 }), [W])).toThrow(mixes);
      expect(() =>
        sampleGradients(linear(batch(), W).reshape([2, 12]).max({ axis: 1 }).sum().reshape([1]).broadcastTo([6]), [W]),
      ).toThrow(mixes);
    });

    it("are refused when they meet others element by element", () => {
      const h = linear(batch(), W).reshape([2, 3, 4]);
      const swapped = h.permute([1, 0, 2]).reshape([2, 3, 4]);
      expect(() => sampleGradients(h.mul(swapped).reshape([6, 4]).sum({ axis: 1 }), [W])).toThrow(mixes);
    });

    it("keep their rows when they are put together again", async () => {
      const plain = await rowsOf((x) => linear(x, W).tanh().sum({ axis: 1 }));
      const torn = await rowsOf((x) => linear(x, W).reshape([2, 3, 4]).tanh().reshape([6, 4]).sum({ axis: 1 }));
      const turned = await rowsOf((x) =>
        linear(x, W).reshape([2, 3, 4]).permute([2, 0, 1]).tanh().sum({ axis: 0 }).reshape([6]),
      );
      plain.flat().forEach((v, i) => {
        expect(torn.flat()[i]).toBeCloseTo(v, 12);
        expect(turned.flat()[i]).toBeCloseTo(v, 12);
      });
    });
  });
});
