import { operation, type Expression } from "@robgrad/tensor/kernels";

/** The largest number of float32, and the smallest that no device takes for 0. */
const [largest, smallest] = [3.4028234663852886e38, 1.1754943508222875e-38];

/**
 * A scalar formula of one input on the host. A part whose value leaves the range of float32 makes the result NaN, even where
 * what follows would bring it back: devices would round it to infinity. Of a choice only the branch taken counts.
 *
 * @param round  What becomes of every intermediate value.
 */
export function evaluator(e: Expression, round: (value: number) => number = (value) => value): (u: number) => number {
  const compiled = new Map<Expression, (u: number, values: Map<Expression, number>) => number>();
  const compile = (node: Expression): ((u: number, values: Map<Expression, number>) => number) => {
    const known = compiled.get(node);
    if (known !== undefined) return known;
    let result: (u: number, values: Map<Expression, number>) => number;
    if (node.kind === "constant") result = () => node.value;
    else if (node.kind === "input") result = (u) => u;
    else {
      const { evaluate } = operation(node.operation).js;
      const parts = node.arguments.map(compile);
      const body =
        node.operation === "where"
          ? (u: number, values: Map<Expression, number>) =>
              parts[0]!(u, values) ? parts[1]!(u, values) : parts[2]!(u, values)
          : (u: number, values: Map<Expression, number>) => {
              const args = parts.map((part) => part(u, values));
              return args.some(Number.isNaN) ? NaN : inRange(evaluate(...args));
            };
      result = (u, values) => {
        let value = values.get(node);
        if (value === undefined) values.set(node, (value = round(body(u, values))));
        return value;
      };
    }
    compiled.set(node, result);
    return result;
  };
  const root = compile(e);
  return (u) => root(u, new Map());
}

function inRange(value: number): number {
  const size = Math.abs(value);
  return size > largest ? NaN : size < smallest ? 0 : value;
}
