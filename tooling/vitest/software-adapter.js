// @ts-check
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runsHere, swiftShaderFromNpm } from "./chromium-from-npm.js";

// Debian's Chromium brings one.
const installed = "/usr/lib/chromium/vk_swiftshader_icd.json";

const libraries = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
const drivers = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];

/** @param {string} folder */
const filesIn = (folder) => (existsSync(folder) ? readdirSync(folder) : []);

/**
 * Where WebGPU may compute without a graphics card: sets for Vulkan, unless that is set already, what programs and workers
 * that start from here on read.
 */
export function offerSoftwareAdapter() {
  if (process.platform !== "linux" || process.env["VK_ICD_FILENAMES"] !== undefined) return;
  const loader = libraries.some((folder) => existsSync(join(folder, "libvulkan.so.1")));
  if (loader && existsSync(installed)) {
    process.env["VK_ICD_FILENAMES"] = installed;
    return;
  }
  // Dawn takes no adapter of lavapipe.
  const driver = drivers.flatMap(filesIn).some((file) => file.endsWith(".json") && !file.startsWith("lvp_"));
  if (!runsHere || (loader && driver)) return;
  const folder = swiftShaderFromNpm();
  process.env["VK_ICD_FILENAMES"] = join(folder, "vk_swiftshader_icd.json");
  if (!loader) {
    process.env["LD_LIBRARY_PATH"] = [process.env["LD_LIBRARY_PATH"], folder].filter(Boolean).join(":");
  }
}
