import type { Peer } from "./peers/peer.js";

/** What belongs to a run, not to a peer. */
export interface Settings {
  readonly threads: number;
}

/** Ours, by device: also with two threads whatever the run has, and as two processes with half of the calls each. */
export const ours: Readonly<Record<string, (settings: Settings) => Promise<Peer>>> = {
  cpu: async () => (await import("./peers/robgrad/robgrad.js")).openRobgrad("cpu"),
  wasm: async ({ threads }) => (await import("./peers/robgrad/robgrad.js")).openRobgrad("wasm", { threads }),
  "wasm-relaxed": async ({ threads }) =>
    (await import("./peers/robgrad/robgrad.js")).openRobgrad("wasm", { threads, relaxed: true }),
  "wasm-2": async () => (await import("./peers/robgrad/robgrad.js")).openRobgrad("wasm", { threads: 2 }),
  "wasm-pair": async () => (await import("./peers/robgrad/pair.js")).openPair(),
};

/** The others. Each is imported on its own: a process that times one holds no other. */
export const peers: Readonly<Record<string, () => Promise<Peer>>> = {
  "tfjs-wasm": async () => (await import("./peers/tfjs/tfjs.js")).openTfjs(),
  "jax-js": async () => (await import("./peers/jax/jax.js")).openJax("factors"),
  "jax-js-vmap": async () => (await import("./peers/jax/jax.js")).openJax("vmap"),
  plain: async () => (await import("./peers/plain/plain.js")).openPlain(),
};

/** "robgrad wasm", "jax-js" … */
export const nameOfOurs = (device: string): string => `robgrad ${device}`;

/** @param name  As in {@link peers}, or a device of ours by its full name. */
export async function openContender(name: string, settings: Settings): Promise<Peer> {
  const peer = peers[name];
  if (peer !== undefined) return peer();
  const device = Object.keys(ours).find((device) => nameOfOurs(device) === name);
  if (device === undefined) throw new RangeError(`bench: found no contender ${name}`);
  return (ours[device] as (settings: Settings) => Promise<Peer>)(settings);
}
