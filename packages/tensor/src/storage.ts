import type { Device } from "./device/device.js";
import type { DeviceBuffer } from "./device/executor.js";
import type { DType } from "./dtype.js";

/**
 * Memory shared by the tensors that view it. `handles` counts tensors that have not been disposed; a storage that
 * becomes unreachable without that is returned by the device's finalization registry.
 */
export class Storage {
  readonly device: Device;
  readonly dtype: DType;
  readonly length: number;
  /** null once the memory is returned. */
  buffer: DeviceBuffer | null;
  handles = 0;

  constructor(device: Device, dtype: DType, length: number, buffer: DeviceBuffer) {
    this.device = device;
    this.dtype = dtype;
    this.length = length;
    this.buffer = buffer;
  }
}
