import { apply, input, type Expression } from "../scalar/expression.js";
import type { ColumnStatement, ColumnTrace } from "./column.js";

/**
 * The same program with everything that does not depend on the element of a walk computed before it: a formula such
 * as (g − m) / (s · σ) then divides by a register.
 */
export function hoistInvariants(program: ColumnTrace): ColumnTrace {
  let registers = program.registers;
  const rewriteList = (list: readonly ColumnStatement[]): ColumnStatement[] => {
    // What is known in this list; registers that change are those of loops around it, and they stand still here.
    const known = new Map<Expression, number>();
    return list.flatMap((s): ColumnStatement[] => {
      if (s.kind === "iterate") return [{ ...s, body: rewriteList(s.body) }];
      if (s.kind !== "map" && s.kind !== "reduce") return [s];
      const before: ColumnStatement[] = [];
      const f = rewrite(s.f, s.element, (e) => {
        let register = known.get(e);
        if (register === undefined) {
          register = registers++;
          known.set(e, register);
          before.push({ kind: "let", register, f: e });
        }
        return register;
      });
      return [...before, { ...s, f }];
    });
  };
  const statements = rewriteList(program.statements);
  return registers === program.registers ? program : { ...program, statements, registers };
}

/** Replaces the largest parts of a formula that do not read `element` by registers. */
function rewrite(f: Expression, element: number, register: (e: Expression) => number): Expression {
  const reads = new Map<Expression, boolean>();
  const depends = (e: Expression): boolean => {
    let result = reads.get(e);
    if (result === undefined) {
      result = e.kind === "input" ? e.index === element : e.kind === "apply" && e.arguments.some(depends);
      reads.set(e, result);
    }
    return result;
  };
  const done = new Map<Expression, Expression>();
  const visit = (e: Expression): Expression => {
    if (e.kind !== "apply") return e;
    let result = done.get(e);
    if (result === undefined) {
      if (!depends(e)) result = input(register(e));
      else {
        const args = e.arguments.map(visit);
        result = args.every((arg, k) => arg === e.arguments[k]) ? e : apply(e.operation, ...args);
      }
      done.set(e, result);
    }
    return result;
  };
  return visit(f);
}
