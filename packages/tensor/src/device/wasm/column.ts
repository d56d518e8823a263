import type { FunctionBody } from "./assembler.js";
import type { Constants } from "./formula.js";
import type { Start } from "./loops.js";
import type { ColumnKernel, View } from "../../kernel/kernel.js";

export interface ColumnPlan {
  readonly key: string;
  readonly views: readonly View[];
  readonly constants: readonly number[];
  readonly scratch: number;
}

export function planColumn(_kernel: ColumnKernel, _relaxed: boolean): ColumnPlan {
  throw new Error("not yet");
}

export function emitColumn(_f: FunctionBody, _plan: ColumnPlan, _starts: readonly Start[], _scratch: Start, _constants: Constants): void {}
