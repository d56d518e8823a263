import { spawn } from "node:child_process";

/** What a program printed; rejects with it when the program fails. */
export function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  // A stranger's project has nothing of this workspace: neither its module path nor the options and the folder of this test run.
  const { NODE_PATH: _modules, NODE_OPTIONS: _options, VITEST: _vitest, INIT_CWD: _caller, ...env } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, shell: process.platform === "win32" });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ${args.join(" ")} exited with ${code}:\n${output}`));
    });
  });
}
