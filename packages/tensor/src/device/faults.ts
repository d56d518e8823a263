import { codedError, type CodedError } from "../errors.js";

/** What a kernel can find wrong with data. Places in the list are the codes written to the fault cell, from 1. */
export const faultKinds = [
  "non-finite value",
  "index out of range",
  "no convergence",
  "non-finite or out-of-range gradient",
  "value out of range",
  "no position to attend to",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** The value of a check that found nothing. */
export const noFault = 0x7fffffff;

/** Length of the fault cell: code, node, parameter, index. */
export const faultLength = 4;

/** Names that faults refer to by number, so that a kernel can write them. */
export class FaultOrigins {
  readonly #names: string[] = [""];
  readonly #numbers = new Map<string, number>();

  number(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#names.push(name) - 1;
      this.#numbers.set(name, number);
    }
    return number;
  }

  /** The error a set fault cell stands for. */
  error(fault: ArrayLike<number>): CodedError {
    const [code, node, parameter, index] = Array.from(fault) as [number, number, number, number];
    const kind = faultKinds[code - 1] ?? "unknown fault";
    const where = this.#names[parameter] ? ` of ${this.#names[parameter]}` : "";
    const place = kind === "non-finite or out-of-range gradient" ? "sample" : "element";
    return codedError(
      "BAD_DATA",
      `${this.#names[node]}: expected valid data, found a fault on the device: ${kind}${where} at ${place} ${index}; optimizers have skipped their updates since, until this read`,
    );
  }
}
