// Module hooks that tell the main thread which files are loaded.

/** @type {import("node:worker_threads").MessagePort} */
let port;

export function initialize(data) {
  port = data.port;
}

export async function load(url, context, nextLoad) {
  port.postMessage(url);
  return nextLoad(url, context);
}
