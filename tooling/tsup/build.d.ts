import type { defineConfig, Options } from "tsup";

type Config = ReturnType<typeof defineConfig>;

export declare const library: (overrides?: Options) => Config;
export declare const program: (entry: Record<string, string>, overrides?: Options) => Config;
