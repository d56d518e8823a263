import { ModuleBuilder } from "./assembler.js";
import { withParameters } from "./constants.js";
import type { Start } from "./loops.js";
import { kernelConstants, kernelViews, type KernelPrinter, type PrintedKernel } from "./print-kernel.js";

/**
 * A module with a kernel, or its parts, as functions of addresses in bytes, the address of working memory, then
 * constants. Exported as "0", "1", …
 */
export function kernelModule(
  kernel: PrintedKernel,
  prints: readonly KernelPrinter["print"][],
  shared: boolean,
): Uint8Array<ArrayBuffer> {
  const addresses = kernelViews(kernel).length + 1;
  const types = [
    ...Array.from({ length: addresses }, () => "i32" as const),
    ...kernelConstants(kernel).map(() => "f64" as const),
  ];
  const module = new ModuleBuilder({ shared });
  prints.forEach((print, part) => {
    const index = module.function(types, [], (f, ...all) => {
      const starts = all.slice(0, addresses).map((parameter): Start => ({ base: parameter.get, offset: 0 }));
      const scratch = starts.pop() as Start;
      const parameters = all.slice(addresses).map((parameter) => parameter.get);
      withParameters(f, parameters, (g, spread) => print(g, starts, scratch, { spread, parameters }));
    });
    module.export(`${part}`, index);
  });
  return module.finish();
}
