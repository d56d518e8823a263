/**
 * What a worker runs, as text: nothing of this package reaches it but shared memory. It takes parts of kernels off a
 * word that counts down, see {@link WorkerPool}, compiles modules it has not met from their bytes in memory, and never
 * comes back to its event loop. The build writes it to `worker.js` as well.
 */
export const workerSource = `"use strict";
const node = globalThis.process?.getBuiltinModule?.("node:worker_threads");
const port = node ? node.parentPort : globalThis;
const serve = ({ memory, control, index }) => {
  const words = new Int32Array(control);
  const numbers = new Float64Array(control, 64);
  const known = [];
  const { sin, cos, tan, pow } = Math;
  const remainder = (a, b) => {
    const r = a % b;
    return r === 0 ? 0 : r < 0 !== b < 0 ? r + b : r;
  };
  const imports = { host: { memory, sin, cos, tan, pow, remainder } };
  port.postMessage("ready");
  for (;;) {
    let word = Atomics.load(words, 0);
    for (let k = 0; k < 100000 && (word & 255) === 0; k++) word = Atomics.load(words, 0);
    if ((word & 255) === 0) {
      Atomics.wait(words, 0, word);
      continue;
    }
    if (Atomics.compareExchange(words, 0, word, word - 1) !== word) continue;
    let done = 0;
    try {
      const [, , , slot, version, address, length, count, scratch, step] = words;
      let job = known[slot];
      if (job?.version !== version) {
        memory.grow(0);
        const module = new WebAssembly.Module(new Uint8Array(memory.buffer).slice(address, address + length));
        job = known[slot] = { version, parts: new WebAssembly.Instance(module, imports).exports };
      }
      const args = [...numbers.subarray(0, count)];
      args[scratch] += step * index;
      job.parts[(word & 255) - 1](...args);
      done = 1;
    } finally {
      if (done === 0) Atomics.store(words, 2, 1);
      if (Atomics.sub(words, 1, 1) === 1) Atomics.notify(words, 1);
    }
  }
};
if (node) port?.once("message", serve);
else globalThis.onmessage = ({ data }) => serve(data);
`;
