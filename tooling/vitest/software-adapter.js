// @ts-check
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";

// Debian's Chromium brings one.
const installed = "/usr/lib/chromium/vk_swiftshader_icd.json";

const loaders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/lib/x86_64-linux-gnu", "/lib64"];
const drivers = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];

/** @param {string} folder */
const filesIn = (folder) => (existsSync(folder) ? readdirSync(folder) : []);

/** The one that comes with a package of npm, with a Vulkan loader beside it; unpacked once. */
function unpacked() {
  const folder = fileURLToPath(new URL("node_modules/.cache/swiftshader", import.meta.url));
  if (existsSync(folder)) return folder;
  const archive = join(
    dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium")),
    "../../bin/swiftshader.tar.br",
  );
  mkdirSync(dirname(folder), { recursive: true });
  const beside = mkdtempSync(`${folder}-`);
  execFileSync("tar", ["-x", "-C", beside, "--no-same-owner"], { input: brotliDecompressSync(readFileSync(archive)) });
  try {
    renameSync(beside, folder);
  } catch (error) {
    // Another run was faster.
    rmSync(beside, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/**
 * Where WebGPU may compute without a graphics card: sets for Vulkan, unless that is set already, what programs and workers
 * that start from here on read.
 */
export function offerSoftwareAdapter() {
  if (process.platform !== "linux" || process.env["VK_ICD_FILENAMES"] !== undefined) return;
  const loaded = loaders.some((folder) => existsSync(join(folder, "libvulkan.so.1")));
  if (existsSync(installed) && loaded) {
    process.env["VK_ICD_FILENAMES"] = installed;
    return;
  }
  // Dawn takes no adapter of lavapipe.
  const driver = drivers.flatMap(filesIn).some((file) => file.endsWith(".json") && !file.startsWith("lvp_"));
  if (process.arch !== "x64" || (loaded && driver)) return;
  const folder = unpacked();
  process.env["VK_ICD_FILENAMES"] = join(folder, "vk_swiftshader_icd.json");
  if (!loaded) {
    process.env["LD_LIBRARY_PATH"] = [process.env["LD_LIBRARY_PATH"], folder].filter(Boolean).join(":");
  }
}
