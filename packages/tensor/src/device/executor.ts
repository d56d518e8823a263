import type { DType, TypedArray } from "../dtype.js";
import type { Kernel } from "../kernel/kernel.js";

/** Memory of one storage; only the executor that made it looks inside. */
export type DeviceBuffer = unknown;

/**
 * What a device implementation provides. Everything above it (tensors, scopes, cells, memory accounts,
 * recording) is written once. Work is queued in call order; `read` is a snapshot queued at the call.
 */
export interface Executor {
  readonly name: string;
  readonly dtypes: readonly DType[];
  /** Whether it computes formulas in the dtype of their kernel, so that fused kernels give the same bits. */
  readonly fuses: boolean;
  allocate(dtype: DType, length: number): DeviceBuffer;
  free(buffer: DeviceBuffer): void;
  write(buffer: DeviceBuffer, values: TypedArray): void;
  read(buffer: DeviceBuffer, start: number, length: number): Promise<TypedArray>;
  run(kernel: Kernel): void;
  /** Kernels bound to their buffers, to be run in order again and again. */
  compile(kernels: readonly Kernel[]): Program;
  close(): void;
}

/** A list of kernels ready to run. */
export interface Program {
  run(): void;
  dispose(): void;
}
