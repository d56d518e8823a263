import { capture, openDevice, tidy, type Tensor } from "@robgrad/tensor";

/** Bytes that the device holds and that the process takes, after some steps and after many more. */
const device = await openDevice("webgpu");
const w = device.cell(device.zeros([100]));
const x = device.ones([100]);
const step = capture((x: Tensor) => {
  w.assign(w.value.mul(0.5).add(x));
  return w.value.sum();
});
let captured: Tensor | undefined;
const run = async (steps: number) => {
  for (let t = 0; t < steps; t++) {
    captured = step(x);
    if (t % 500 === 499) await captured.item();
  }
  for (let t = 0; t < steps; t++) {
    tidy(() => w.assign(w.value.mul(0.5).add(x)));
    if (t % 500 !== 499) continue;
    const total = tidy(() => w.value.sum());
    await total.item();
    total.dispose();
  }
};
const take = () => ({ live: device.memory().live, resident: process.memoryUsage().rss });
await run(4000);
const before = take();
await run(10_000);
const after = take();
console.log(JSON.stringify({ before, after }));
device.dispose();
