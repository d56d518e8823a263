/// <reference types="@webgpu/types" />

/** Memory of one storage: a run of 32-bit words in a buffer, which it may share with others. */
export interface Block {
  readonly buffer: GPUBuffer;
  /** In words. */
  readonly start: number;
  readonly length: number;
}
