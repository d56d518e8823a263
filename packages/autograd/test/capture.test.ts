import { capture, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import { linear, sampleGradients, Variable } from "../src/index.js";
import { draw } from "./draw.js";

forEachDevice(({ device, dtype, epsilon }) => {
  describe("a captured step", () => {
    it("replays backward and per-sample gradients of a parameter that it moves", async () => {
      const run = async (captured: boolean) => {
        const cell = device.cell(draw(device, [2, 3], 0, dtype));
        const W = new Variable({ cell }, { name: "W" });
        const eager = (x: Tensor): Variable => {
          const losses = linear(x, W).tanh().square().sum({ axis: 1 });
          const rows = sampleGradients(losses, [W]).get(W) as SampleMatrix;
          cell.assign(cell.value.sub(rows.mean().reshape([2, 3]).mul(0.1)));
          return losses.mean();
        };
        const replayed = capture(eager);
        const step = captured ? replayed : eager;
        const curve: number[] = [];
        for (let t = 0; t < 5; t++) {
          const loss = step(draw(device, [4, 3], t, dtype));
          expect(Variable.is(loss)).toBe(true);
          curve.push(await loss.item());
        }
        replayed.dispose();
        cell.dispose();
        return curve;
      };
      // A recorded step may add in another order.
      const [replayed, called] = [await run(true), await run(false)];
      replayed.forEach((loss, t) => expect(Math.abs(loss / called[t]! - 1)).toBeLessThan(8 * epsilon));
    });
  });
});
