import { describe, expect, it } from "vitest";
import { openDevice, type Device } from "@robgrad/tensor";
import { expectClose } from "@robgrad/tensor/testing";
import { openAdapter } from "../../src/device/webgpu/adapter.js";
import { Queue } from "../../src/device/webgpu/queue.js";
import { ShaderBuilder } from "../../src/device/webgpu/shader.js";
import { Memory } from "../../src/device/webgpu/memory.js";
import { Device as DeviceOf } from "../../src/device/device.js";
import { WebGpuExecutor } from "../../src/device/webgpu/device.js";
import { coded } from "../coded.js";
import { openWebGpu } from "./open-web-gpu.js";

const opened = await openWebGpu();
opened?.dispose();

async function losable(): Promise<{ readonly device: Device; readonly lose: () => Promise<unknown> }> {
  const adapter = await openAdapter(true);
  const device = new DeviceOf(new WebGpuExecutor(adapter));
  return {
    device,
    lose: () => {
      adapter.device.destroy();
      return adapter.device.lost;
    },
  };
}

describe.skipIf(opened === null)("a webgpu device that is lost", () => {
  it("rejects reads that wait, refuses what comes later, and another one opens", async () => {
    const { device, lose } = await losable();
    const x = device.ones([1000]);
    const pending = x.add(1).data();
    pending.catch(() => {});
    const lost = lose();
    await expect(pending).rejects.toThrow(coded("DEVICE_LOST"));
    await lost;
    expect(() => x.add(1)).toThrow(coded("DEVICE_LOST", "open another one"));
    expect(() => device.ones([2])).toThrow(coded("DEVICE_LOST"));
    await expect(x.data()).rejects.toThrow(coded("DEVICE_LOST"));
    x.dispose();
    device.dispose();

    const next = await openDevice("webgpu");
    await expectClose(next.ones([2]).add(1), [2, 2]);
    next.dispose();
  });

  it("is not lost but disposed when its owner ends it", async () => {
    const { device } = await losable();
    const pending = device.ones([10]).data();
    pending.catch(() => {});
    device.dispose();
    await expect(pending).rejects.toThrow(coded("DISPOSED"));
    expect(() => device.ones([2])).toThrow(coded("DISPOSED"));
  });
});

describe.skipIf(opened === null)("a webgpu device in trouble", () => {
  it("names the kernel and the line of a shader that the driver refuses, at the next read, once", async () => {
    const { device } = await openAdapter(true);
    const queue = new Queue(device);
    const memory = new Memory(
      device,
      (size, usage) => queue.buffer(size, usage),
      () => {},
    );
    const block = memory.allocate("float32", 4);
    const shader = new ShaderBuilder(64);
    shader.buffer(block.buffer, true);
    shader.line("let x: f32 = nowhere;");
    queue.dispatch(shader.finish(1), () => "map neg of #0 into #1");
    await expect(queue.read(block, 0, 4)).rejects.toThrow(
      expect.objectContaining({
        code: "BAD_ARGUMENT",
        message: expect.stringMatching(/map neg of #0 into #1[^]*line \d+, let x: f32 = nowhere;[^]*nowhere/),
      }),
    );
    await expect(queue.read(block, 0, 4)).resolves.toHaveLength(4);
    queue.close();
  });

  it("names the buffer that the driver refuses, at the next read", async () => {
    const { device } = await openAdapter(true);
    const queue = new Queue(device);
    const block = new Memory(
      device,
      (size, usage) => queue.buffer(size, usage),
      () => {},
    ).allocate("float32", 4);
    // No mapped memory may be written by shaders: the driver refuses the buffer.
    queue.buffer(64, 0x0001 | 0x0080);
    await expect(queue.read(block, 0, 4)).rejects.toThrow(coded("BAD_ARGUMENT", "a buffer of 64 bytes"));
    await expect(queue.read(block, 0, 4)).resolves.toHaveLength(4);
    queue.close();
  });

  it("says which request is larger than a buffer may be", async () => {
    const device = await openDevice("webgpu");
    expect(() => device.zeros([2 ** 34])).toThrow(coded("MEMORY_LIMIT"));
    await expectClose(device.ones([2]), [1, 1]);
    device.dispose();
  });
});

describe("openDevice", () => {
  it.skipIf(opened === null)("passes over an adapter in software where another device will do", async () => {
    const { architecture, description, isFallbackAdapter } = (await openAdapter(true)).device.adapterInfo;
    const software = isFallbackAdapter || /swiftshader|llvmpipe/i.test(`${architecture} ${description}`);
    const device = await openDevice(["webgpu", "wasm"]);
    expect(device.name).toBe(software ? "wasm" : "webgpu");
    device.dispose();
  });
});
