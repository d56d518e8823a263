/// <reference types="@webgpu/types" />
import type { Kernel } from "../../kernel/kernel.js";
import { factorsShape } from "../../kernel/kernel.js";
import { viewsOf } from "../../kernel/views.js";
import { effortOf } from "./loop.js";
import type { Block } from "./memory.js";

/**
 * A dispatch takes a card 2 to 3 µs whatever it does, a barrier a fraction of that. Kernels that one workgroup finishes
 * in the time of a dispatch therefore share one: those that look at so many elements and multiply so often at most.
 */
const mostElements = 2 ** 14;
const mostProducts = 2 ** 14;
/** Values that column programs and routines of a chain walk over, often more than once. */
const mostWalked = 2 ** 10;
/** Kernels of a chain: drivers take their time over long shaders. */
const mostKernels = 40;

/** A list of kernels cut into those that are to share a dispatch and those that have their own. */
export function chainsOf(kernels: readonly Kernel[], limits: GPUSupportedLimits): (readonly Kernel[])[] {
  const chains: Kernel[][] = [];
  let open: Kernel[] | null = null;
  let buffers = new Set<GPUBuffer>();
  for (const kernel of kernels) {
    if (!isChained(kernel)) {
      chains.push([kernel]);
      open = null;
      continue;
    }
    const { reads, writes } = viewsOf(kernel);
    const own = [...reads, ...writes].map(({ storage }) => (storage.buffer as Block).buffer);
    const all = new Set([...buffers, ...own]);
    // One is left for working memory.
    if (open === null || open.length >= mostKernels || all.size >= limits.maxStorageBuffersPerShaderStage) {
      chains.push((open = []));
      buffers = new Set(own);
    } else buffers = all;
    open.push(kernel);
  }
  return chains;
}

function isChained(kernel: Kernel): boolean {
  const { elements, products } = effortOf([kernel]);
  if (elements > mostElements || products > mostProducts) return false;
  switch (kernel.form) {
    case "iterate":
      return false;
    case "column": {
      const { samples, features } = factorsShape(kernel.factors);
      return samples * features <= mostWalked;
    }
    case "routine":
      return elements <= mostWalked && kernel.name !== "eigh";
    default:
      return true;
  }
}
