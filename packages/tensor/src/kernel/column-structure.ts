import type { ColumnStatement, ColumnTrace } from "./column.js";
import type { Factors, View } from "./kernel.js";
import { normalize, type Expression } from "../scalar/expression.js";

/** Views of a factor source in a fixed order, and how many scratch columns filling it takes. */
export function factorViews(factors: Factors): {
  readonly views: readonly View[];
  readonly columns: readonly number[];
} {
  switch (factors.kind) {
    case "dense":
      return { views: [factors.rows], columns: [] };
    case "expanded":
      return { views: [factors.delta, factors.x], columns: [] };
    case "mixed": {
      const base = factorViews(factors.base);
      return {
        views: [factors.weights, ...base.views],
        columns: [factors.weights.shape[1] as number, ...base.columns],
      };
    }
    case "summed": {
      const parts = factors.parts.map(factorViews);
      return { views: parts.flatMap((part) => part.views), columns: parts.flatMap((part) => part.columns) };
    }
  }
}

/** Equal keys mean factors of the same kinds and dtypes. */
export function factorsKey(factors: Factors): string {
  switch (factors.kind) {
    case "dense":
      return `D${factors.rows.dtype}`;
    case "expanded":
      return `E${factors.delta.dtype}${factors.x.dtype}`;
    case "mixed":
      return `M${factors.weights.dtype}(${factorsKey(factors.base)})`;
    case "summed":
      return `S(${factors.parts.map(factorsKey).join()})`;
  }
}

/** Formulas of a program in the order in which both the printer and the key meet them. */
export function columnFormulas({ statements, result }: ColumnTrace): Expression[] {
  const formulas: Expression[] = [];
  const visit = (list: readonly ColumnStatement[]) => {
    for (const statement of list) {
      if (statement.kind === "iterate") {
        formulas.push(statement.initial, statement.tolerance);
        visit(statement.body);
        formulas.push(statement.next);
      } else if ("f" in statement) formulas.push(statement.f);
    }
  };
  visit(statements);
  formulas.push(result);
  return formulas;
}

/** Equal keys mean programs that differ in constants only. */
export function columnKey(program: ColumnTrace): string {
  const structure = (list: readonly ColumnStatement[]): string =>
    list
      .map((s) => {
        switch (s.kind) {
          case "map":
            return `m${s.vector},${s.source},${s.element},${normalize(s.f).key}`;
          case "sorted":
            return `s${s.vector},${s.source}`;
          case "slice":
            return `c${s.vector},${s.source},${s.start},${s.stop}`;
          case "reduce":
            return `r${s.register},${s.source},${s.element},${s.monoid},${normalize(s.f).key}`;
          case "quantile":
            return `q${s.register},${s.source},${s.q}`;
          case "let":
            return `l${s.register},${normalize(s.f).key}`;
          case "iterate":
            return `i${s.register},${normalize(s.initial).key},${normalize(s.tolerance).key},${s.maximum}(${structure(s.body)})${normalize(s.next).key}`;
        }
      })
      .join("/");
  return `${program.operands}:${structure(program.statements)}>${normalize(program.result).key}`;
}
