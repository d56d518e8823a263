import { codedError } from "@robgrad/tensor";
import type { Windows } from "@robgrad/tensor/kernels";

/** One number for every spatial axis, or one for each. */
export type PerAxis = number | readonly number[];

/** How windows lie. */
export interface WindowOptions {
  /** From one window to the next, ≥ 1. */
  readonly stride?: PerAxis;
  /** Elements put before and after the input along each spatial axis, ≥ 0; 0 unless given. */
  readonly padding?: PerAxis;
  /** From one element of a window to the next, ≥ 1; 1 unless given. */
  readonly dilation?: PerAxis;
}

/** Windows and padding, one number per spatial axis each. */
export interface PaddedWindows extends Windows {
  readonly padding: readonly number[];
}

/** @param stride  What it is unless given. */
export function windowsOf(
  subject: string,
  kernel: readonly number[],
  options: WindowOptions,
  stride: PerAxis,
): PaddedWindows {
  const rank = kernel.length;
  const numbers = (name: string, given: PerAxis, least: number) => perAxis(subject, name, given, rank, least);
  return {
    kernel,
    stride: numbers("stride", options.stride ?? stride, 1),
    padding: numbers("padding", options.padding ?? 0, 0),
    dilation: numbers("dilation", options.dilation ?? 1, 1),
  };
}

/** An option as one whole number for every axis. */
export function perAxis(subject: string, name: string, given: PerAxis, rank: number, least: number): readonly number[] {
  const list = typeof given === "number" ? Array.from({ length: rank }, () => given) : given;
  if (!Array.isArray(list) || list.length !== rank || list.some((n) => !Number.isInteger(n) || n < least)) {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected ${name} to be a whole number ≥ ${least}, or ${rank} of them, found ${JSON.stringify(given)}`,
    );
  }
  return list as readonly number[];
}

/** Padding in the form in which `pad` takes it. */
export function borders(padding: readonly number[]): (readonly [number, number])[] {
  return [[0, 0], [0, 0], ...padding.map((width) => [width, width] as const)];
}
