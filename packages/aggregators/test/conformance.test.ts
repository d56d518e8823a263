import { openDevice, where, type Device, type SampleMatrix, type Scalar } from "@robgrad/tensor";
import { constant } from "@robgrad/tensor/kernels";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checks, checksFor } from "../src/conformance/checks.js";
import type { AggregatorFactory, Claims } from "../src/conformance/claims.js";
import { Subject } from "../src/conformance/subject.js";
import { defineAggregator, geometricMedian, mean, median, trimmedMean, type Rule } from "../src/index.js";
import { aggregatorSuite } from "../src/testing.js";

let device: Device;
let other: Device;
beforeAll(async () => {
  device = await openDevice("cpu");
  other = await openDevice("wasm");
});
afterAll(() => [device, other].forEach((opened) => opened.dispose()));

// One device more is enough to see that devices are compared; a software adapter would take minutes here.
const tested = new Set(checks.filter((check) => check.device !== "cpu" && check.device !== "webgpu"));

/** Names of the checks that a rule does not pass, with what they say. */
async function failures(factory: AggregatorFactory, claims: Claims): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const check of checksFor(claims).filter((check) => tested.has(check))) {
    const error: unknown = await check.run(new Subject(device, factory, claims, new Map([["wasm", other]]))).then(
      () => null,
      (reason: unknown) => reason,
    );
    if (error !== null) found[check.name] = (error as Error).message;
  }
  return found;
}

interface Fault {
  readonly check: string;
  readonly rule: Rule | { readonly fresh: (device: Device) => Rule };
  readonly claims?: Claims;
  readonly message: RegExp;
}

const location: Claims = {
  permutationInvariant: true,
  translationEquivariant: true,
  scaleEquivariant: true,
  coordinatewise: true,
};
const plain = (g: SampleMatrix) => g.mean();

/** Rules with one fault each. */
const faults: Readonly<Record<string, Fault>> = {
  "loses the axis of a single feature": {
    check: "returns one row in the dtype of the gradients",
    rule: (g) => (g.features === 1 ? g.mean().reshape([]) : g.mean()),
    claims: location,
    message: /rule planted: expected it to return a tensor float32 \[1\], found float32 \[\]/,
  },
  "squares without care for the range": {
    check: "is finite for gradients of every size",
    rule: (g) =>
      g.columns((c) => {
        const weight = (u: Scalar) => u.mul(1e130).square();
        return c.mean((u) => u.mul(weight(u))).div(c.mean(weight).maximum(Number.MIN_VALUE));
      }),
    claims: { permutationInvariant: true, coordinatewise: true, tolerance: 1e-4 },
    message: /gradients of size 1e\+30/,
  },
  "divides by N − 1": {
    check: "takes a single sample",
    rule: (g) => g.mean().mul((g.samples - 1) / (g.samples - 1)),
    claims: location,
    message: /a finite answer for N = 1, found \[NaN/,
  },
  "cuts off more than two samples": {
    check: "takes two samples",
    rule: (g) =>
      g.samples === 1
        ? g.mean()
        : g.columns((c) =>
            c
              .sorted()
              .slice(1, g.samples - 1)
              .mean(),
          ),
    claims: { translationEquivariant: true, scaleEquivariant: true, coordinatewise: true, breakdownPoint: 0.05 },
    message: /rule planted.*slice: expected whole numbers 0 ≤ start < stop ≤ 2/,
  },
  "divides by a spread of 0": {
    check: "takes rows that are all equal",
    rule: (g) =>
      g.columns((c) => {
        const center = c.mean();
        const spread = c.mean((u) => u.sub(center).abs());
        // Rows of zeros and single samples are seen to, equal rows are not.
        const width = where(center.equal(0).or(c.max().equal(0)), 1, spread);
        return g.samples === 1 ? center : center.add(c.mean((u) => u.sub(center).div(width).clamp(-1, 1)).mul(width));
      }),
    claims: { permutationInvariant: true, scaleEquivariant: true, coordinatewise: true },
    message: /a finite answer for equal rows, found \[NaN/,
  },
  "divides by a norm of 0": {
    check: "takes rows of zeros",
    rule: (g) =>
      g.combine(
        g.squaredNorms().map((squared) =>
          squared
            .sqrt()
            .div(squared.sqrt())
            .mul(1 / g.samples),
        ),
      ),
    claims: location,
    message: /a finite answer for rows of zeros, found \[NaN/,
  },
  "draws and does not say so": {
    check: "gives the same answer again",
    rule: {
      fresh: (device) => {
        const rng = device.rng(1);
        return (g) => g.mean().mul(rng.uniform([]).cast(g.dtype));
      },
    },
    claims: { permutationInvariant: true, scaleEquivariant: true, coordinatewise: true },
    message: /found .* after/,
  },
  "writes to the gradients": {
    check: "leaves the gradients as they were",
    rule: (g) => {
      const answer = g.mean().copy();
      g.device.run({ form: "map", out: g.rows(), f: constant(0), operands: [] });
      return answer;
    },
    claims: location,
    message: /wrote to them/,
  },
  "takes factors for what they are not": {
    check: "gives one answer for every form of the same rows",
    rule: (g) => (g.factors?.kind === "expanded" ? g.mean().mul(2) : g.mean()),
    claims: location,
    message: /the answer about dense rows from outer ones/,
  },
  "prefers early samples": {
    check: "does not depend on the order of the samples",
    rule: (g) => {
      const weights = g.device.arange(g.samples, { dtype: g.dtype }).map((n) => n.neg().exp());
      return g.combine(weights.div(weights.sum()));
    },
    claims: location,
    message: /A\(g in another order\) = A\(g\)/,
  },
  "shrinks towards 0": {
    check: "moves with the gradients",
    rule: (g) => g.mean().mul(0.5),
    claims: { permutationInvariant: true, translationEquivariant: true, coordinatewise: true },
    message: /A\(g \+ t\) = A\(g\) \+ t/,
  },
  "clips at a constant": {
    check: "scales with the gradients",
    rule: (g) => g.mean((u) => u.clamp(-1, 1)),
    claims: { permutationInvariant: true, scaleEquivariant: true, coordinatewise: true },
    message: /A\(0.0001 g\) = 0.0001 A\(g\)/,
  },
  "is a median of coordinates": {
    check: "turns with the gradients",
    rule: (g) => g.columns((c) => c.median()),
    claims: { ...location, orthogonalEquivariant: true, breakdownPoint: 0.5 },
    message: /A\(g Q\) = A\(g\) Q/,
  },
  "looks at whole rows": {
    check: "treats every coordinate by itself",
    rule: (g) => geometricMedian()(g),
    claims: { ...location, orthogonalEquivariant: true, breakdownPoint: 0.5 },
    message: /without the others/,
  },
  "is a mean": {
    check: "withstands the share of wild samples it claims to",
    rule: plain,
    claims: { ...location, orthogonalEquivariant: true, breakdownPoint: 0.1 },
    message: /2 of 20 samples not to carry the answer away, found that 1 do/,
  },
  "is an upper quartile": {
    check: "is moved by the nine attacks no further than it claims",
    rule: (g) => g.columns((c) => c.quantile(0.75)),
    claims: { ...location, breakdownPoint: 0.2, bias: 0.4 },
    message: /4 of 20 samples .* at most 0.4 .*, found [\d.]+ by \w+ \(SignFlipping [\d.]+, .*LabelFlipping [\d.]+\)/,
  },
  "adds a large number for a while": {
    check: "keeps its accuracy in float32",
    rule: (g) => g.mean((u) => u.add(1e6)).sub(1e6),
    claims: { permutationInvariant: true, coordinatewise: true },
    message: /the float64 answer from float32 about 8 samples/,
  },
  "takes turns": {
    check: "replays in a captured step as it answers",
    rule: {
      fresh: () => {
        let turn = 0;
        return (g: SampleMatrix) => (turn++ % 2 === 0 ? g.mean() : g.mean().mul(1));
      },
    },
    claims: location,
    message: /expected a step to do the same at every call/,
  },
  "asks for all rows": {
    check: "forms no N × D buffer",
    rule: (g) => g.rows().mean({ axis: 0 }),
    claims: { ...location, withoutRows: true },
    message: /less than 8388608 bytes for gradients \[64, 65536\]/,
  },
  "treats a device differently": {
    check: "answers on wasm as elsewhere",
    rule: (g) => (g.device.name === "wasm" ? g.mean().mul(2) : g.mean()),
    claims: location,
    message: /the answer of cpu in float64 on wasm/,
  },
};

describe("the checks of aggregatorSuite", () => {
  for (const [name, { check, rule, claims = {}, message }] of Object.entries(faults)) {
    it(`find that a rule ${name}, and nothing else`, async () => {
      const found = await failures(
        (on) => defineAggregator("planted", typeof rule === "function" ? rule : rule.fresh(on)),
        claims,
      );
      expect(Object.keys(found)).toEqual([check]);
      expect(found[check]).toMatch(message);
    });
  }

  it("have one planted fault each", () => {
    expect(Object.values(faults).map(({ check }) => check)).toEqual([...tested].map(({ name }) => name));
  });

  it("find that a trimmed mean claims to withstand more than it does", async () => {
    const found = await failures(() => trimmedMean({ fraction: 0.1 }), { breakdownPoint: 0.2 });
    expect(Object.keys(found)).toEqual(["withstands the share of wild samples it claims to"]);
  });

  it("pass for rules that are what they claim to be", async () => {
    expect(await failures(() => mean(), { ...location, orthogonalEquivariant: true })).toEqual({});
    expect(await failures(() => median(), { ...location, breakdownPoint: 0.5 })).toEqual({});
  });

  it("test what is claimed, and nothing else", () => {
    expect(checksFor({ minimumSamples: 3 }).map(({ name }) => name)).toEqual([
      "returns one row in the dtype of the gradients",
      "is finite for gradients of every size",
      "takes rows that are all equal",
      "takes rows of zeros",
      "gives the same answer again",
      "leaves the gradients as they were",
      "gives one answer for every form of the same rows",
      "keeps its accuracy in float32",
      "replays in a captured step as it answers",
      "answers on wasm as elsewhere",
      "answers on webgpu as elsewhere",
    ]);
    expect(checksFor({ device: "wasm", bias: 1, withoutRows: true }).map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "is moved by the nine attacks no further than it claims",
        "forms no N × D buffer",
        "answers on cpu as elsewhere",
      ]),
    );
  });
});

describe("aggregatorSuite", () => {
  it("refuses a breakdown point that no rule has", () => {
    expect(() => aggregatorSuite(() => median(), { breakdownPoint: 0.6 })).toThrow(
      "breakdownPoint in [0, 0.5], found 0.6",
    );
    expect(() => aggregatorSuite(() => median(), { bias: 1 })).toThrow("beside a breakdownPoint > 0, found 1 and 0");
  });
});
