import { codedError, Tensor, tidy } from "@robgrad/tensor";
import { describe } from "../aggregator.js";

/** What hostile samples send, knowing the honest gradients. */
export interface Attack {
  /** Honest gradients [H, D] → hostile ones [count, D], all the same. */
  (honest: Tensor, count: number): Tensor;
  /** Its name in ByzFL. */
  readonly label: string;
}

/** An attack from the row that every hostile sample sends, [D] from [H, D]. */
export function attack(label: string, row: (honest: Tensor, count: number) => Tensor): Attack {
  const rows = (honest: Tensor, count: number): Tensor => {
    if (!Tensor.is(honest) || honest.shape.length !== 2 || honest.shape[0] === 0) {
      throw codedError(
        "BAD_ARGUMENT",
        `${label}: expected honest gradients [H, D] with H ≥ 1, found ${describe(honest)}`,
      );
    }
    if (!Number.isSafeInteger(count) || count < 0) {
      throw codedError("BAD_ARGUMENT", `${label}: expected count to be a whole number ≥ 0, found ${describe(count)}`);
    }
    const [, features] = honest.shape as readonly [number, number];
    return tidy(() => row(honest, count).reshape([1, features]).broadcastTo([count, features]).copy());
  };
  return Object.assign(rows, { label });
}

/** The standard deviation of every coordinate, divisor H − 1 as in ByzFL's code; 0 for a single row. */
export const deviation = (honest: Tensor): Tensor =>
  honest.variance({ axis: 0, correction: Math.min(1, (honest.shape[0] as number) - 1) }).sqrt();
