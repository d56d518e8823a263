/**
 * A module that takes relaxed multiply-add to validate: a function that returns f32x4.relaxed_madd of three
 * i32x4.splat 0. As bytes, so that this file, which few programs fetch, shares no code with others.
 */
const probe = () =>
  // prettier-ignore
  new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, // "\0asm", version 1
    1, 5, 1, 96, 0, 1, 123, // type: () → v128
    3, 2, 1, 0, // one function of it
    10, 19, 1, 17, 0, 65, 0, 253, 17, 65, 0, 253, 17, 65, 0, 253, 17, 253, 133, 2, 11, // its code
  ]);

const missing = "device wasm: expected an engine with relaxed SIMD, found none; open it without { relaxed: true }";

/**
 * Null when the engine has relaxed SIMD, else what is to be said of that. Node 20 has it behind a flag, which is set on the way; browsers never see
 * that part.
 */
export async function enableRelaxed(): Promise<string | null> {
  if (WebAssembly.validate(probe())) return null;
  const host = globalThis as { readonly process?: { readonly versions?: { readonly node?: string } } };
  if (host.process?.versions?.node === undefined) return missing;
  // Not a literal, so that bundlers for browsers do not look for it.
  const name = "node:v8";
  const v8 = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as {
    setFlagsFromString(flag: string): void;
  };
  v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
  return WebAssembly.validate(probe()) ? null : missing;
}
