import { Variable } from "@robgrad/autograd";
import { codedError, Tensor, tidy } from "@robgrad/tensor";
import { formatShape } from "@robgrad/tensor/kernels";
import { Link } from "./link.js";
import type { Parameter } from "./parameter.js";
import { Sequential, type Layer } from "./sequential.js";

/** One layer of a model. */
export interface SummaryRow {
  /** Its path in the model, as in the names of parameters; "" for the model itself. */
  readonly name: string;
  /** Its class, or the name of a function. */
  readonly link: string;
  readonly outputShape: readonly number[];
  /** How many numbers it trains that no row above has counted. */
  readonly parameters: number;
}

/** What a model is made of. */
export interface Summary {
  readonly rows: readonly SummaryRow[];
  /** How many numbers the model trains. */
  readonly total: number;
  /** A table of text. */
  toString(): string;
}

/**
 * The layers of a model with the shapes of their outputs and their numbers of parameters: a row for each layer of a Sequential,
 * also of one inside another, and one for any other link as a whole. Evaluates the model once.
 *
 * @param model  Its first parameter tells device and dtype of the input.
 * @param input  A shape, axis 0 included, for an input of zeros; or an input.
 * @returns      Rows as data; `String(summary)` is a table.
 * @throws       BAD_ARGUMENT for a shape where the model has no parameters; what the model throws for the input.
 * @example      console.log(String(summary(model, [1, 2])));
 */
export function summary(model: Link, input: readonly number[] | Tensor): Summary {
  const counted = new Set<Parameter>();
  const rows: SummaryRow[] = [];
  const parametersOf = (layer: Layer): number => {
    let sum = 0;
    for (const parameter of layer instanceof Link ? layer.parameters() : []) {
      if (!counted.has(parameter)) sum += parameter.size;
      counted.add(parameter);
    }
    return sum;
  };
  const visit = (name: string, layer: Layer, x: Variable): Variable => {
    if (layer instanceof Sequential) {
      return layer.layers.reduce<Variable>(
        (value, item, k) => visit(name === "" ? `${k}` : `${name}.${k}`, item, value),
        x,
      );
    }
    const y = layer instanceof Link ? layer.forward(x) : layer(x, {});
    const link = layer instanceof Link ? layer.constructor.name : layer.name || "function";
    rows.push({ name, link, outputShape: y.shape, parameters: parametersOf(layer) });
    return y;
  };
  tidy(
    () =>
      void visit("", model, new Variable(Tensor.is(input) ? input : zerosFor(model, input), { requiresGrad: false })),
  );
  const total = rows.reduce((sum, { parameters }) => sum + parameters, 0);
  return { rows, total, toString: () => table(rows, total) };
}

function zerosFor(model: Link, shape: readonly number[]): Tensor {
  for (const { cell } of model.parameters()) return cell.device.zeros(shape, { dtype: cell.dtype });
  throw codedError("BAD_ARGUMENT", "summary: expected an input for a model without parameters, found a shape");
}

function table(rows: readonly SummaryRow[], total: number): string {
  const lines = [
    ["layer", "link", "output", "parameters"],
    ...rows.map(({ name, link, outputShape, parameters }) => [name, link, formatShape(outputShape), `${parameters}`]),
    ["total", "", "", `${total}`],
  ];
  const widths = [0, 1, 2, 3].map((k) => Math.max(...lines.map((line) => (line[k] as string).length)));
  return lines
    .map((line) =>
      line.map((text, k) => (k < 3 ? text.padEnd(widths[k] as number) : text.padStart(widths[k] as number))).join("  "),
    )
    .join("\n");
}
