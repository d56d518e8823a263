import * as vm from "node:vm";
import { describe, expect, it } from "vitest";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";

describe("device.tensor", () => {
  forEachDevice(
    ({ device }) => {
      it("takes typed arrays of another realm", async () => {
        const foreign = vm.runInNewContext("new Float64Array([1, 2])") as Float64Array;
        expect(foreign instanceof Float64Array).toBe(false);
        const x = device.tensor(foreign);
        expect(x.dtype).toBe("float64");
        await expectClose(x, [1, 2]);
      });
    },
    { dtypes: ["float64"] },
  );
});
