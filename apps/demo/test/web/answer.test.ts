import { describe, expect, it } from "vitest";
import { comparedAnswer } from "../../src/web/answer.js";

describe("an answer against the one from before", () => {
  it("has shift and length as shares of the earlier length, and the angle between the two", () => {
    const { shift, length, angle } = comparedAnswer([0, 6], [4, 3]);
    expect(shift).toBeCloseTo(1, 12);
    expect(length).toBeCloseTo(6 / 5, 12);
    expect(angle).toBeCloseTo((Math.acos(3 / 5) * 180) / Math.PI, 12);
  });

  it("is no turn where nothing moves, and half a turn where the sign does", () => {
    expect(comparedAnswer([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])).toEqual({ shift: 0, length: 1, angle: 0 });
    expect(comparedAnswer([-2, -4], [1, 2])).toEqual({ shift: 3, length: 2, angle: 180 });
  });

  it("has no angle to an answer of no length", () => {
    expect(comparedAnswer([0, 0], [3, 4])).toEqual({ shift: 1, length: 0, angle: NaN });
  });
});
