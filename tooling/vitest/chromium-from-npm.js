// @ts-check
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";

/** Whether the Chromium that comes with a package of npm runs here. */
export const runsHere = process.platform === "linux" && process.arch === "x64";

/**
 * Unpacks files of the package, once.
 *
 * @param {string} name         Of the folder to put them in.
 * @param {readonly string[]} files
 * @returns {string}            The folder.
 */
function unpacked(name, files) {
  const folder = fileURLToPath(new URL(`node_modules/.cache/${name}`, import.meta.url));
  if (existsSync(folder)) return folder;
  const packed = join(dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium")), "../../bin");
  mkdirSync(dirname(folder), { recursive: true });
  const beside = mkdtempSync(`${folder}-`);
  for (const file of files) {
    const bytes = brotliDecompressSync(readFileSync(join(packed, file)));
    if (file.endsWith(".tar.br")) {
      execFileSync("tar", ["-x", "-C", beside, "--no-same-owner"], { input: bytes });
    } else {
      const program = join(beside, file.replace(".br", ""));
      writeFileSync(program, bytes);
      chmodSync(program, 0o755);
    }
  }
  try {
    renameSync(beside, folder);
  } catch (error) {
    // Another run was faster.
    rmSync(beside, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** A folder with the software adapter SwiftShader and a loader for Vulkan. */
export const swiftShaderFromNpm = () => unpacked("swiftshader", ["swiftshader.tar.br"]);

/** Chromium without a window, and a folder with libraries that it needs besides those of every system. */
export function chromiumFromNpm() {
  const folder = unpacked("chromium", ["chromium.br", "swiftshader.tar.br", "al2023.tar.br"]);
  return { executablePath: join(folder, "chromium"), libraries: join(folder, "lib") };
}
