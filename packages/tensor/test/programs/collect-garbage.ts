import { openDevice, tidy } from "@robgrad/tensor";

declare const gc: () => void;

const device = await openDevice("cpu");
const kept = device.ones([100]).reshape([10, 10]).slice([0, 2]);
const floor = device.memory().live;

function forget(): number {
  for (let k = 0; k < 50; k++) {
    device.zeros([1000]).add(1);
    tidy(() => device.ones([10]).mul(2));
    device.cell(device.zeros([7]));
    device.rng(k);
  }
  return device.memory().live;
}

const held = forget();
for (let attempt = 0; attempt < 100 && device.memory().live > floor; attempt++) {
  gc();
  await new Promise((resolve) => setTimeout(resolve, 5));
}
process.stdout.write(JSON.stringify({ floor, held, left: device.memory().live, kept: await kept.sum().item() }));
