import { describe, expect, it } from "vitest";
import { openDevice } from "@robgrad/tensor";
import { answers } from "./programs/answers.js";
import { runProgram } from "./programs/run-program.js";

describe("a process that forbids code generation from strings", () => {
  it("gets the same numbers, by walking kernels instead of compiling them", async () => {
    const device = await openDevice("cpu");
    const found = await runProgram("print-answers.ts", ["--disallow-code-generation-from-strings"]);
    expect(found).toEqual({ forbidden: true, answers: JSON.parse(JSON.stringify(await answers(device))) });
    device.dispose();
  });
});

describe("tensors that nobody disposes", () => {
  it("return their memory when they are collected, and views keep what they need", async () => {
    const { floor, held, left, kept } = (await runProgram("collect-garbage.ts", ["--expose-gc"])) as Record<
      string,
      number
    >;
    expect(floor).toBe(400);
    expect(held).toBeGreaterThan(floor! + 50 * 8000);
    expect(left).toBe(floor);
    expect(kept).toBe(20);
  });
});

describe("a process that never disposes its device", () => {
  it("ends by itself, workers and all", async () => {
    expect(await runProgram("forget-threads.ts", [])).toEqual({ mean: 64 });
  });
});
