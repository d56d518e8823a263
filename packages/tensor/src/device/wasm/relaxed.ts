import { ModuleBuilder, integer } from "./assembler.js";
import { f32x4 } from "./lanes.js";

/** A module that takes relaxed multiply-add to validate. */
function probe(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.function([], [], (f) => {
    f.store("v128.store", { base: null, offset: 0 }, (g) => {
      for (let k = 0; k < 3; k++) f32x4.constant(k)(g);
      g.emit("f32x4.relaxed_madd");
    });
    integer(0)(f);
    f.emit("drop");
  });
  return module.finish();
}

/**
 * True when the engine has relaxed SIMD. Node 20 has it behind a flag, which is set on the way; browsers never see
 * that part.
 */
export async function enableRelaxed(): Promise<boolean> {
  if (WebAssembly.validate(probe())) return true;
  const host = globalThis as { readonly process?: { readonly versions?: { readonly node?: string } } };
  if (host.process?.versions?.node === undefined) return false;
  // Not a literal, so that bundlers for browsers do not look for it.
  const name = "node:v8";
  const v8 = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as {
    setFlagsFromString(flag: string): void;
  };
  v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
  return WebAssembly.validate(probe());
}
