import { clipByGlobalNorm, Parameter } from "@robgrad/nn";
import type { Device, DType } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { expect, it } from "vitest";

forEachDevice(({ device, dtype, epsilon }) => {
  const tolerance = { relative: 8 * epsilon };
  const parameters = (on: Device, type: DType) =>
    [
      new Parameter(on.zeros([2], { dtype: type }), "a"),
      new Parameter(on.zeros([1, 1], { dtype: type }), "b"),
    ] as const;

  it.each([
    ["shortens what is longer", 3, 1, 1],
    ["keeps the direction of entries whose squares overflow", dtype === "float64" ? 3e200 : 3e30, 1, 1],
    [
      "keeps the direction of entries whose squares vanish",
      dtype === "float64" ? 3e-200 : 3e-30,
      dtype === "float64" ? 1e-200 : 1e-30,
      dtype === "float64" ? 1e-200 : 1e-30,
    ],
    ["leaves alone what is shorter", 3, 100, 13],
    ["leaves alone what is 0", 0, 1, 0],
  ])("%s", async (_, unit, maxNorm, norm) => {
    const [a, b] = parameters(device, dtype);
    // (3, 4, 12) has length 13.
    const s = unit / 3;
    const gradients = new Map([
      [a, device.tensor([3 * s, -4 * s], { dtype })],
      [b, device.tensor([[12 * s]], { dtype })],
    ]);
    const clipped = clipByGlobalNorm(gradients, maxNorm);
    const scale = norm / 13;
    await expectClose(clipped.get(a)!, [3 * scale, -4 * scale], tolerance);
    await expectClose(clipped.get(b)!, [[12 * scale]], tolerance);
    a.dispose();
    b.dispose();
  });

  it("passes on what is not finite, for the optimizer to name", async () => {
    const [a, b] = parameters(device, dtype);
    const bad = device.tensor([Infinity, 1], { dtype, allowNonFinite: true });
    const clipped = clipByGlobalNorm(new Map([[a, bad]]), 1);
    expect(Number.isFinite((await clipped.get(a)!.data())[0])).toBe(false);
    a.dispose();
    b.dispose();
  });

  it("takes an empty map, and refuses norms that are none", () => {
    expect(clipByGlobalNorm(new Map(), 1).size).toBe(0);
    for (const maxNorm of [0, -1, NaN, Infinity]) {
      expect(() => clipByGlobalNorm(new Map(), maxNorm)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    }
  });
});
