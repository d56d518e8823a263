import { writeFile } from "node:fs/promises";
import { library } from "@tooling/tsup";
import { workerSource } from "./src/device/wasm/threads/worker-source.js";

export default library({
  // The worker as a file, for pages whose content security policy forbids workers made of text.
  onSuccess: () => writeFile("dist/worker.js", workerSource),
});
