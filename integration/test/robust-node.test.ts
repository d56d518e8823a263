import { aggregate, mean, medianOfMeans, softTruncation, type Aggregator } from "@robgrad/aggregators";
import { FunctionNode, sampleGradients, Variable } from "@robgrad/autograd";
import { Linear, relu, Sequential, softmaxCrossEntropy, type Parameter } from "@robgrad/nn";
import { denseSamples, openDevice, outer, type Device, type Tensor } from "@robgrad/tensor";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

/**
 * The tutorial's Listing 4: a linear node whose backward calls a rule where the vanilla node (Listing 3) sums over the
 * batch. Gradients then arrive already aggregated, in place of Σₙ by N · rule.
 */
class RobustLinearFunction extends FunctionNode {
  readonly #rule: Aggregator;

  constructor(rule: Aggregator) {
    super();
    this.#rule = rule;
  }

  forward(inputs: readonly Tensor[]) {
    const [x, W, b] = inputs as readonly [Tensor, Tensor, Tensor];
    this.retainInputs(0, 1);
    return [x.matmul(W.transpose()).add(b)];
  }

  backward(gradOutputs: readonly Variable[]) {
    const [gy] = gradOutputs as readonly [Variable];
    const x = this.retained(0);
    const W = this.retained(1);
    const samples = x.shape[0]!;
    return [
      () => gy.matmul(W),
      () => new Variable(this.#rule(outer(gy.value, x.value)).reshape(W.shape).mul(samples)),
      () => new Variable(this.#rule(denseSamples(gy.value)).mul(samples)),
    ];
  }
}

let device: Device;

describe.each(["cpu", "wasm"] as const)("on %s", (name) => {
  beforeEach(async () => {
    device = await openDevice(name);
  });
  afterEach(() => device.dispose());

  describe("a node that calls a rule inside its own backward", () => {
    it.each([
      ["mean", () => mean()],
      ["soft truncation", () => softTruncation({ delta: 0.005 })],
      ["geometric median of means", () => medianOfMeans({ blocks: 4 })],
    ])("gives what sampleGradients and aggregate give: %s", async (_, make) => {
      const rule = make();
      const rng = device.rng(8);
      const dtype = "float64";
      const first = new Linear(3, 6, { rng, dtype });
      const rest = new Sequential(relu, new Linear(6, 4, { rng, dtype }));
      const x = rng.normal([20, 3], { dtype });
      const labels = device.tensor(
        Array.from({ length: 20 }, (_, n) => n % 4),
        { dtype: "int32" },
      );

      const [hidden] = new RobustLinearFunction(rule).apply(
        new Variable(x, { requiresGrad: false }),
        first.W,
        first.b!,
      );
      softmaxCrossEntropy(rest.forward(hidden!), labels).mean().backward();

      const losses = softmaxCrossEntropy(rest.forward(first.forward(x)), labels);
      const parameters: readonly Parameter[] = [...first.parameters()];
      const expected = aggregate(sampleGradients(losses, parameters), rule);

      for (const parameter of parameters) {
        const found = await parameter.grad!.value.data();
        const wanted = await expected.get(parameter)!.data();
        expect(found.length).toBe(wanted.length);
        // The loss of Listing 4 is a batch mean: its rows carry 1/N, which these equivariant rules pass on.
        found.forEach((v, d) => expect(v).toBeCloseTo(wanted[d]!, 12));
        expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(1e-3);
      }
    });
  });
});
