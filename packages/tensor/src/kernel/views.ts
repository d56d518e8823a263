import type { Factors, Kernel, View } from "./kernel.js";
import { isIndex } from "./kernel.js";

/** A factor source with every view replaced. */
export function mapFactors(factors: Factors, f: (view: View) => View): Factors {
  switch (factors.kind) {
    case "dense":
      return { ...factors, rows: f(factors.rows) };
    case "expanded":
      return { ...factors, delta: f(factors.delta), x: f(factors.x) };
    case "mixed":
      return { ...factors, weights: f(factors.weights), base: mapFactors(factors.base, f) };
    case "summed":
      return { ...factors, parts: factors.parts.map((part) => mapFactors(part, f)) };
  }
}

/** A kernel with every view replaced: what it reads by `read`, what it writes by `write`, reads first. */
export function mapViews(kernel: Kernel, read: (view: View) => View, write: (view: View) => View): Kernel {
  switch (kernel.form) {
    case "map":
    case "reduce": {
      const operands = kernel.operands.map((operand) => (isIndex(operand) ? operand : read(operand)));
      return { ...kernel, operands, out: write(kernel.out) };
    }
    case "contract": {
      const [a, b, operands] = [read(kernel.a), read(kernel.b), kernel.operands.map(read)];
      return { ...kernel, a, b, operands, out: write(kernel.out) };
    }
    case "column": {
      const [factors, operands] = [mapFactors(kernel.factors, read), kernel.operands.map(read)];
      return { ...kernel, factors, operands, out: write(kernel.out) };
    }
    case "routine": {
      const inputs = kernel.inputs.map(read);
      return { ...kernel, inputs, outputs: kernel.outputs.map(write) };
    }
    case "iterate": {
      const body = kernel.body.map((inner) => mapViews(inner, read, write));
      const until = kernel.until && read(kernel.until);
      return {
        ...kernel,
        body,
        until,
        copies: kernel.copies.map(({ from, to }) => ({ from: read(from), to: write(to) })),
      };
    }
  }
}

/** Every view of a kernel, in a fixed order. */
export function viewsOf(kernel: Kernel): { readonly reads: readonly View[]; readonly writes: readonly View[] } {
  const reads: View[] = [];
  const writes: View[] = [];
  mapViews(
    kernel,
    (view) => (reads.push(view), view),
    (view) => (writes.push(view), view),
  );
  return { reads, writes };
}
