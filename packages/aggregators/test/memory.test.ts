import { denseSamples, tidy, type Cell, type SampleMatrix } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import { aggregate, all, byLayer, defineAggregator, onCoordinates, type Memory } from "../src/index.js";

const [w, b] = [{ name: "0.W" }, { name: "0.b" }];
const model = {
  namedParameters: () =>
    [
      ["0.W", w],
      ["0.b", b],
    ] as const,
};

/** A running sum of the means it has seen, which also tells what cells it was given. */
function running() {
  const cells = new Set<Cell>();
  const body = (g: SampleMatrix, memory: Memory) => {
    const cell = memory.cell("sum", () => g.device.zeros([g.features], { dtype: g.dtype }));
    cells.add(cell);
    cell.assign(cell.value.add(g.mean()));
    return cell.value;
  };
  return { rule: defineAggregator("running", body), cells, dispose: () => cells.forEach((cell) => cell.dispose()) };
}

forEachDevice(({ device, dtype }) => {
  const gradients = (value: number) =>
    new Map([
      [w, denseSamples(device.full([3, 2], value, { dtype }))],
      [b, denseSamples(device.full([3, 1], 10 * value, { dtype }))],
    ]);

  describe("a rule's memory", () => {
    it("keeps cells from one call of aggregate to the next, for every parameter its own", async () => {
      const { rule, cells, dispose } = running();
      aggregate(gradients(1), rule);
      const results = aggregate(gradients(2), rule);
      await expectClose(results.get(w) ?? device.zeros([]), [3, 3]);
      await expectClose(results.get(b) ?? device.zeros([]), [30]);
      expect(cells.size).toBe(2);
      dispose();
    });

    it("is one per group", () => {
      const { rule, cells, dispose } = running();
      for (let step = 0; step < 3; step++) aggregate(gradients(1), rule, { group: byLayer(model) });
      expect([...cells].map(({ shape }) => shape)).toEqual([[3]]);
      aggregate(gradients(1), rule, { group: all });
      expect([...cells].map(({ shape }) => shape)).toEqual([[3], [3]]);
      dispose();
    });

    it("is another for the same key in another model", () => {
      const { rule, cells, dispose } = running();
      for (const parameters of [["W"], ["U"]]) {
        aggregate(new Map(parameters.map((p) => [p, denseSamples(device.ones([2, 2], { dtype }))])), rule, {
          group: all,
        });
      }
      expect(cells.size).toBe(2);
      dispose();
    });

    it("is another for every instance of a rule", async () => {
      const [first, second] = [running(), running()];
      aggregate(gradients(1), first.rule);
      const results = aggregate(gradients(1), second.rule);
      await expectClose(results.get(w) ?? device.zeros([]), [1, 1]);
      first.dispose();
      second.dispose();
    });

    it("ends with the call for a rule that is called by itself", async () => {
      const { rule } = running();
      const g = gradients(1).get(w) as SampleMatrix;
      const before = device.memory().live;
      tidy(() => rule(g)).dispose();
      expect(device.memory().live).toBe(before);
      await expectClose(rule(g), [1, 1]);
    });

    it("reaches the rules inside a rule", async () => {
      const { rule, dispose } = running();
      const inside = onCoordinates((g) => g.mean().greater(0), rule, rule);
      // Two calls a step, into the one cell of that name.
      aggregate(gradients(1), inside);
      dispose();
    });

    it("keeps the shape of a cell", () => {
      const seen: Cell[] = [];
      const rule = defineAggregator("growing", (g, memory) => {
        seen.push(memory.cell("v", g.mean()));
        return g.mean();
      });
      const parameter = {};
      aggregate(new Map([[parameter, denseSamples(device.ones([2, 2], { dtype }))]]), rule);
      expect(() => aggregate(new Map([[parameter, denseSamples(device.ones([2, 3], { dtype }))]]), rule)).toThrow(
        'rule growing: expected its cell "v" to keep shape [2], found [3]',
      );
      seen.forEach((cell) => cell.dispose());
    });
  });
});
