import { dtypes, type DType, type TypedArray } from "../../dtype.js";
import type { Kernel } from "../../kernel/kernel.js";
import type { DeviceBuffer, Executor, Program } from "../executor.js";
import { arrayOf, ArrayPool, type CpuBuffer } from "./buffer.js";
import { canCompile } from "./compile.js";
import { CpuSchedule } from "./schedule.js";

/** The reference device: plain JavaScript on typed arrays, every dtype, each kernel run at once. */
export class CpuExecutor implements Executor {
  readonly name = "cpu";
  readonly dtypes = dtypes;
  /** Formulas are computed in float64 here: a result rounds once a kernel. */
  readonly fuses = false;
  readonly #schedule: CpuSchedule;
  readonly #pool = new ArrayPool();

  /** @param interpret  Walk kernels instead of compiling them, as a content security policy may force. */
  constructor({ interpret = false }: { readonly interpret?: boolean } = {}) {
    this.#schedule = new CpuSchedule(!interpret && canCompile());
  }

  allocate(dtype: DType, length: number): CpuBuffer {
    return { dtype, values: this.#pool.take(dtype, length) };
  }

  free(buffer: DeviceBuffer): void {
    this.#pool.give(buffer as CpuBuffer);
  }

  write(buffer: DeviceBuffer, values: TypedArray): void {
    arrayOf(buffer).set(values);
  }

  read(buffer: DeviceBuffer, start: number, length: number): Promise<TypedArray> {
    return Promise.resolve(arrayOf(buffer).slice(start, start + length));
  }

  run(kernel: Kernel): void {
    this.#schedule.run(kernel);
  }

  compile(kernels: readonly Kernel[]): Program {
    const calls = kernels.map((kernel) => this.#schedule.prepare(kernel));
    return {
      run() {
        for (const call of calls) call();
      },
      dispose() {},
    };
  }

  close(): void {
    this.#pool.clear();
  }
}
