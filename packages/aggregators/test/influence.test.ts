import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import type { ScalarFunction } from "@robgrad/tensor";
import { describe, expect, it } from "vitest";
import {
  arctanInfluence,
  catoniGiulini,
  catoniNarrowInfluence,
  catoniWideInfluence,
  fairInfluence,
  gudermannianInfluence,
  hampelInfluence,
  huberInfluence,
  logCoshInfluence,
  pseudoHuberInfluence,
  smoothedCatoniGiulini,
  tukeyInfluence,
} from "../src/index.js";
import { influenceFunctions, smoothedPsi } from "./influence-functions.js";

const traced: Readonly<Record<keyof typeof influenceFunctions, ScalarFunction>> = {
  huber: huberInfluence(1.345),
  "log-cosh": logCoshInfluence,
  "pseudo-huber": pseudoHuberInfluence,
  fair: fairInfluence(1.3998),
  "catoni-wide": catoniWideInfluence,
  "catoni-narrow": catoniNarrowInfluence,
  gudermannian: gudermannianInfluence,
  arctan: arctanInfluence,
  tukey: tukeyInfluence(4.685),
  hampel: hampelInfluence(1.7, 3.4, 8.5),
};

/** What each comes to where residuals are as far away as float32 holds, a share of ln u for the unbounded one. */
const far = 1e30;
const limits: Readonly<Record<keyof typeof influenceFunctions, number>> = {
  huber: 1.345,
  "log-cosh": 1,
  "pseudo-huber": Math.SQRT2,
  fair: 1.3998,
  "catoni-wide": 60 * Math.LN10 - Math.LN2,
  "catoni-narrow": Math.LN2,
  gudermannian: Math.PI / 2,
  arctan: Math.PI / 2,
  tukey: 0,
  hampel: 0,
};

const positive = [1e-12, 1e-6, 0.01, 0.25, 0.5, 0.99, 1, 1.3, 1.5, 2, 3, 3.4, 4, 4.6, 5, 8, 9, 50, 1e4];
const grid = [...positive.map((u) => -u), 0, ...positive];

forEachDevice(({ device, dtype }) => {
  const precise = dtype === "float64";
  const close = precise ? { absolute: 1e-14, relative: 1e-13 } : { absolute: 2e-6, relative: 2e-6 };
  const at = (psi: ScalarFunction, u: readonly number[]) => device.tensor([...u], { dtype }).map(psi);

  describe.each(Object.entries(traced))("the influence function %s", (name, psi) => {
    const reference = influenceFunctions[name as keyof typeof influenceFunctions];

    it("has the values of its formula", async () => {
      await expectClose(at(psi, grid), grid.map(reference), close);
    });

    it("keeps its relative accuracy near 0", async () => {
      const small = [1e-9, 1e-5, 1e-3];
      await expectClose(at(psi, small), small.map(reference), { relative: precise ? 1e-13 : 2e-6 });
    });

    it("neither overflows nor cancels where residuals are huge", async () => {
      const limit = limits[name as keyof typeof limits];
      await expectClose(at(psi, [-far, far]), [-limit, limit], { absolute: precise ? 1e-12 : 1e-6, relative: 1e-6 });
    });
  });

  describe.each([0.5, 1, 3.255, 12, 400])("soft truncation averaged over noise of precision %d", (beta) => {
    const u = [1e-6, 0.1, 0.4, 0.7, 0.9, 1.1, 1.3, 1.5, 1.8, 2.5, 4, 8, 30, 1000];

    it("is the integral", async () => {
      const expected = u.map((value) => smoothedPsi(value, beta));
      // Simpson's error itself is some 1e-13.
      await expectClose(at(smoothedCatoniGiulini(beta), u), expected, { absolute: precise ? 1e-11 : 2e-6 });
    });

    it("is odd, has slope 1 at 0, and does not overflow", async () => {
      const found = await at(smoothedCatoniGiulini(beta), [-0.7, 0.7, 0, 1e-5, far, -far]).data();
      expect(found[0]).toBe(-found[1]!);
      expect(found[2]).toBe(0);
      expect(found[3]! / Math.fround(1e-5)).toBeCloseTo(1, 6);
      // Far away only the sign of 1 + ε counts.
      const bound = smoothedPsi(1e6, beta);
      expect(found[4]).toBeCloseTo(bound, 5);
      expect(found[5]).toBe(-found[4]!);
    });
  });

  it("soft truncation averaged over hardly any noise is soft truncation", async () => {
    const u = [0.01, 0.3, 1, 1.3, 1.5, 4, 1e5];
    await expectClose(at(smoothedCatoniGiulini(1e9), u), [...(await at(catoniGiulini, u).data())], { absolute: 2e-6 });
  });
});
