/// <reference types="@webgpu/types" />
import { describeKernel } from "../../kernel/describe.js";
import type { Kernel } from "../../kernel/kernel.js";
import type { DType } from "../../dtype.js";
import type { Dispatch } from "./loop.js";
import type { Block } from "./memory.js";
import type { Binding, Shader } from "./shader.js";

/** Kernels whose dispatches are known at a time, at most. */
const mostKernels = 2048;

/** Working memory that a kernel asks for. */
export interface Scratch {
  readonly dtype: DType;
  readonly length: number;
}

/** The dispatches of a kernel but for the places of what it works on, which are numbered. */
interface Recipe {
  readonly scratch: readonly Scratch[];
  /** Which of its blocks share buffers. */
  readonly sharing: string;
  readonly steps: readonly Step[];
}

interface Step {
  readonly code: string;
  readonly words: readonly number[];
  readonly workgroups: number;
  readonly bindings: readonly { readonly written: boolean; readonly of: number }[];
  readonly places: readonly { readonly at: number; readonly of: number; readonly beyond: number }[];
}

/** A kernel as structure and places. */
export interface Described {
  readonly key: string;
  readonly blocks: readonly Block[];
}

/** Equal keys mean equal text, but for the places of blocks. */
export function described(kernel: Kernel): Described {
  const numbers = new Map<Block, number>();
  const key = describeKernel(kernel, (storage) => {
    const block = storage.buffer as Block;
    let number = numbers.get(block);
    if (number === undefined) numbers.set(block, (number = numbers.size));
    return `${number}/${block.length}/${storage.length}`;
  });
  return { key, blocks: [...numbers.keys()] };
}

function sharingOf(blocks: readonly Block[]): string {
  const buffers: GPUBuffer[] = [];
  let text = "";
  for (const { buffer } of blocks) {
    let at = buffers.indexOf(buffer);
    if (at < 0) at = buffers.push(buffer) - 1;
    text += `${at} `;
  }
  return text;
}

/** Dispatches of kernels that eager code has asked for before, so that none is printed twice. */
export class Recipes {
  readonly #known = new Map<string, Recipe[]>();

  /**
   * The dispatches of a kernel that is known; null for any other.
   *
   * @param allocate  Makes working memory.
   */
  find({ key, blocks }: Described, allocate: (scratch: Scratch) => Block): readonly Dispatch[] | null {
    const recipes = this.#known.get(key);
    if (recipes === undefined) return null;
    const { scratch } = recipes[0] as Recipe;
    const all = [...blocks, ...scratch.map(allocate)];
    const sharing = sharingOf(all);
    const recipe = recipes.find((other) => other.sharing === sharing);
    return recipe === undefined ? null : recipe.steps.map((step) => ({ shader: placed(step, all), indirect: null }));
  }

  keep({ key, blocks }: Described, scratch: readonly Block[], dispatches: readonly Dispatch[]): void {
    const all = [...blocks, ...scratch];
    const numbers = new Map(all.map((block, k) => [block, k]));
    const steps = dispatches.map(({ shader }) => stepOf(shader, numbers));
    // A loop in counted dispatches has memory of its own.
    if (dispatches.some(({ indirect }) => indirect !== null) || steps.includes(null)) return;
    const recipe: Recipe = {
      scratch: scratch.map(({ dtype, length }) => ({ dtype, length })),
      sharing: sharingOf(all),
      steps: steps as readonly Step[],
    };
    const known = this.#known.get(key);
    if (known !== undefined) known.push(recipe);
    else {
      if (this.#known.size >= mostKernels) this.#known.clear();
      this.#known.set(key, [recipe]);
    }
  }
}

function stepOf(shader: Shader, numbers: ReadonlyMap<Block, number>): Step | null {
  const bindings = shader.bindings.map(({ block, written }) => ({
    written,
    of: block === null ? -1 : (numbers.get(block) ?? -1),
  }));
  const places = shader.places.map(({ at, block }) => ({
    at,
    of: numbers.get(block) ?? -1,
    beyond: (shader.words[at] as number) - block.start,
  }));
  return [...bindings, ...places].some(({ of }) => of < 0)
    ? null
    : { code: shader.code, words: shader.words, workgroups: shader.workgroups, bindings, places };
}

function placed({ code, words: initial, workgroups, bindings, places }: Step, blocks: readonly Block[]): Shader {
  const words = [...initial];
  for (const { at, of, beyond } of places) words[at] = (blocks[of] as Block).start + beyond;
  const bound = bindings.map(({ written, of }): Binding => {
    const block = blocks[of] as Block;
    return { buffer: block.buffer, written, block };
  });
  return { code, bindings: bound, words, places: [], workgroups };
}
