import { openDevice } from "@robgrad/tensor";

/** Ends while the device still computes what was asked for. */
const device = await openDevice("webgpu");
const x = device.ones([256, 256]);
await x.matmul(x).data();
let power = x;
for (let k = 0; k < 3; k++) power = power.matmul(x);
void power.data();
console.log(JSON.stringify("reading"));
setTimeout(() => process.exit(0), 10);
