import type { Device } from "./device/device.js";
import type { DeviceBuffer } from "./device/executor.js";
import type { DType } from "./dtype.js";

/** Who assigns a storage. */
export interface StorageOwner {
  /** A recorded step has come upon the storage. */
  partFromOutside(): void;
}

/** Memory shared by the tensors that view it. `handles` counts tensors that have not been disposed. */
export class Storage {
  readonly device: Device;
  readonly dtype: DType;
  readonly length: number;
  /** null once the memory is returned. */
  buffer: DeviceBuffer | null;
  handles = 0;
  /** Tensors of a scope will return the memory. What has no scope is watched by the device's finalization registry. */
  scoped = false;
  /** A cell or a replay that may write other elements to it; all else is written once. */
  owner: StorageOwner | null = null;

  constructor(device: Device, dtype: DType, length: number, buffer: DeviceBuffer) {
    this.device = device;
    this.dtype = dtype;
    this.length = length;
    this.buffer = buffer;
  }
}
