import { normalize, type Expression } from "../scalar/expression.js";
import type { Storage } from "../storage.js";
import type { ColumnStatement, ColumnTrace } from "./column.js";
import { isIndex, type Factors, type Kernel, type Operand, type View } from "./kernel.js";

/** A formula with its constants. */
function formula(f: Expression | null): string {
  if (f === null) return "–";
  const { key, constants } = normalize(f);
  return `${key}{${constants.map((c) => (Object.is(c, -0) ? "-0" : String(c))).join()}}`;
}

function statements(list: readonly ColumnStatement[]): string {
  return list
    .map((statement) =>
      Object.entries(statement)
        .map(([name, value]) => {
          if (name === "body") return `(${statements(value as readonly ColumnStatement[])})`;
          return typeof value === "object" ? formula(value as Expression) : String(value);
        })
        .join(" "),
    )
    .join("; ");
}

function program(trace: ColumnTrace): string {
  return `${trace.operands} ${statements(trace.statements)} → ${formula(trace.result)}`;
}

/**
 * A kernel as text: equal texts mean equal work on equal places.
 *
 * @param name  Text for a storage.
 */
export function describeKernel(kernel: Kernel, name: (storage: Storage) => string): string {
  const view = ({ storage, dtype, shape, strides, offset }: View) =>
    `${name(storage)}:${dtype}[${shape.join()}]/${strides.join()}+${offset}`;
  const operand = (o: Operand) => (isIndex(o) ? `index ${o.axis}` : view(o));
  const factors = (f: Factors): string => {
    switch (f.kind) {
      case "dense":
        return `dense ${view(f.rows)}`;
      case "expanded":
        return `expanded ${view(f.delta)} ${view(f.x)}`;
      case "mixed":
        return `mixed ${view(f.weights)} (${factors(f.base)})`;
      case "summed":
        return `summed (${f.parts.map(factors).join(" + ")})`;
    }
  };
  switch (kernel.form) {
    case "map":
      return `map ${formula(kernel.f)} of ${kernel.operands.map(operand).join(", ")} into ${view(kernel.out)}`;
    case "reduce":
      return `${kernel.monoid} over ${kernel.axes.join()} of [${kernel.shape.join()}] ${formula(kernel.f)} then ${formula(kernel.epilogue)} of ${kernel.operands.map(operand).join(", ")} into ${view(kernel.out)}`;
    case "contract":
      return `contract ${view(kernel.a)} with ${view(kernel.b)} then ${formula(kernel.epilogue)} of ${kernel.operands.map(view).join(", ")} into ${view(kernel.out)}`;
    case "column":
      return `columns ${program(kernel.program)} of ${factors(kernel.factors)} and ${kernel.operands.map(view).join(", ")} into ${view(kernel.out)}`;
    case "routine": {
      const attributes = Object.entries(kernel.attributes).map(
        ([key, value]) => `${key}=${typeof value === "object" && "kind" in value ? formula(value) : String(value)}`,
      );
      return `${kernel.name} ${attributes.join(" ")} of ${kernel.inputs.map(view).join(", ")} into ${kernel.outputs.map(view).join(", ")}`;
    }
    case "iterate":
      return `iterate at most ${kernel.maximum} until ${kernel.until === null ? "–" : view(kernel.until)}: ${kernel.body.map((inner) => describeKernel(inner, name)).join(" | ")} then ${kernel.copies.map(({ from, to }) => `${view(from)} to ${view(to)}`).join(", ")}`;
  }
}
