import { describe, expect, it } from "vitest";
import { comparedAnswer } from "../../src/web/answer.js";

describe("an answer against the one from before", () => {
  it("is shifted by their distance, is so many times as long, and is turned by their angle", () => {
    const { shift, length, angle } = comparedAnswer([0, 6], [4, 3]);
    expect(shift).toBeCloseTo(5, 12);
    expect(length).toBeCloseTo(6 / 5, 12);
    expect(angle).toBeCloseTo((Math.acos(3 / 5) * 180) / Math.PI, 12);
  });

  it("is no turn where nothing moves, and half a turn where the sign does", () => {
    expect(comparedAnswer([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])).toEqual({ shift: 0, length: 1, angle: 0 });
    expect(comparedAnswer([-2, -4], [1, 2])).toEqual({
      shift: expect.closeTo(Math.sqrt(45), 12) as number,
      length: 2,
      angle: 180,
    });
  });

  it("has no angle to an answer of no length", () => {
    expect(comparedAnswer([0, 0], [3, 4])).toEqual({ shift: 5, length: 0, angle: NaN });
  });
});
