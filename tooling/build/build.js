// @ts-check
// Builds with turbo and says nothing unless a build fails. Arguments go to `turbo run build`.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const turbo = createRequire(import.meta.url).resolve("turbo/bin/turbo");
const building = spawn(
  process.execPath,
  [turbo, "run", "build", "--output-logs=errors-only", ...process.argv.slice(2)],
  {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", TURBO_NO_UPDATE_NOTIFIER: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  },
);

/** @type {Buffer[]} */
const output = [];
building.stdout.on("data", (chunk) => output.push(chunk));
building.stderr.on("data", (chunk) => output.push(chunk));
building.on("close", (code) => {
  if (code !== 0) process.stderr.write(Buffer.concat(output));
  process.exitCode = code ?? 1;
});
