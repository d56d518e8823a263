import { integer } from "./assembler.js";
import { planList, type ListedKernel, type PrintedList } from "./print-list.js";
import type { IterateKernel } from "../../kernel/kernel.js";
import { input } from "../../scalar/expression.js";

/** The body, then the new state into place, until the test holds or all turns are done. */
export function planLoop({ body, copies, until, maximum }: IterateKernel, relaxed: boolean): PrintedList {
  const turn = planList(body as readonly ListedKernel[], relaxed);
  const moves = planList(
    copies.map(({ from, to }) => ({ form: "map", out: to, f: input(0), operands: [from] })),
    relaxed,
  );
  return {
    scratch: turn.scratch,
    print: (f, addressOf, scratch) => {
      f.scope(() => {
        const left = f.variable("i32");
        const stop = f.variable("i32");
        f.set(left, integer(maximum));
        f.block(() => {
          f.loop(() => {
            turn.print(f, addressOf, scratch);
            // The test looks at the state before it moves.
            if (until !== null) f.set(stop, (g) => g.load("i32.load8_u", { base: null, offset: addressOf(until) }));
            moves.print(f, addressOf, scratch);
            if (until !== null) f.branchIf(1, stop.get);
            f.advance(left, -1);
            f.branchIf(0, left.get);
          });
        });
      });
    },
  };
}
