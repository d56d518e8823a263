import { hasCode } from "@robgrad/tensor";
import { change, notify } from "./store.js";

/**
 * Tells that work in the background has stopped, why, and how it goes on.
 *
 * @param work  What has stopped.
 * @param goOn  Begins again with what is not finished.
 */
export function tellStopped(work: string, error: unknown, goOn: () => void): void {
  const { message } = error as Error;
  const gpu = hasCode(error) && (error.code === "DEVICE_LOST" || error.code === "DEVICE_UNAVAILABLE");
  notify({
    kind: "error",
    text: `${work} has stopped. ${message}`,
    action: gpu
      ? {
          label: "Go on with WebAssembly",
          run: () => {
            change({ device: "wasm" });
            goOn();
          },
        }
      : { label: "Go on", run: goOn },
  });
}
