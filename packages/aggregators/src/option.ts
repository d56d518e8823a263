import { codedError } from "@robgrad/tensor";

/** Throws BAD_ARGUMENT naming rule, option, range and value unless the option is valid. */
export function checkOption(rule: string, option: string, value: unknown, valid: boolean, range: string): void {
  if (!valid)
    throw codedError(
      "BAD_ARGUMENT",
      `${rule}: expected ${option} ${range}, found ${typeof value === "string" ? JSON.stringify(value) : String(value)}`,
    );
}

export const isPositive = (value: unknown): boolean => typeof value === "number" && value > 0 && value < Infinity;
export const isNatural = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 1;
