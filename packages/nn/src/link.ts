import { Variable } from "@robgrad/autograd";
import { codedError, Tensor, type Cell } from "@robgrad/tensor";
import { Parameter } from "./parameter.js";

/** What a forward pass is for; links that behave differently in training ask it. */
export interface ForwardOptions {
  /** Whether the model is being trained; evaluation unless given. */
  readonly training?: boolean;
}

/**
 * A function with parameters: a layer or a whole model. Parameters, cells and links held in fields, or in arrays in
 * fields, are found by themselves; their names are the path of fields, such as `0.W`.
 *
 * @example
 * class Scale extends Link {
 *   readonly factor: Parameter;
 *   constructor(device: Device) { super(); this.factor = new Parameter(device.ones([1]), "factor"); }
 *   forward(x: Variable) { return x.mul(this.factor); }
 * }
 */
export abstract class Link {
  abstract forward(x: Variable | Tensor, options?: ForwardOptions): Variable;

  /** Every parameter below this link once, with its path. */
  *namedParameters(): Generator<readonly [string, Parameter]> {
    for (const [name, item] of this.#walk()) if (item instanceof Parameter) yield [name, item];
  }

  /** Every cell below this link that is not trained, such as running statistics, once, with its path. */
  *namedCells(): Generator<readonly [string, Cell]> {
    for (const [name, item] of this.#walk()) if (!(item instanceof Parameter)) yield [name, item];
  }

  /** Every parameter below this link once, in the order of its fields. */
  *parameters(): Generator<Parameter> {
    for (const [, parameter] of this.namedParameters()) yield parameter;
  }

  /** Returns the memory of all parameters and cells. */
  dispose(): void {
    for (const [, item] of this.#walk()) item.dispose();
  }

  *#walk(prefix = "", seen = new Set<unknown>()): Generator<readonly [string, Parameter | Cell]> {
    for (const [field, value] of Object.entries(this.children())) {
      const items = Array.isArray(value)
        ? value.map((item, k) => [`${field}.${k}`, item] as const)
        : [[field, value] as const];
      for (const [name, item] of items) {
        if (item instanceof Link) yield* item.#walk(`${prefix}${name}.`, seen);
        else if ((item instanceof Parameter || isCell(item)) && !seen.has(item)) {
          seen.add(item);
          yield [prefix + name, item];
        }
      }
    }
  }

  /** Where parameters are looked for: the fields, unless a link names its children otherwise. */
  protected children(): Readonly<Record<string, unknown>> {
    return this as unknown as Readonly<Record<string, unknown>>;
  }
}

/** Told by what it does, whichever copy of the package made it. */
function isCell(value: unknown): value is Cell {
  return typeof (value as Cell | null | undefined)?.assign === "function";
}

/** The input of a link as a Variable; a tensor becomes a constant. */
export function asVariable(subject: string, x: Variable | Tensor): Variable {
  if (Variable.is(x)) return x;
  if (Tensor.is(x)) return new Variable(x, { requiresGrad: false });
  throw codedError(
    "BAD_ARGUMENT",
    `${subject}: expected a Variable or a Tensor, found ${x === null ? "null" : typeof x}`,
  );
}
