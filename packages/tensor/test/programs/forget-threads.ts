import { openDevice } from "@robgrad/tensor";

const device = await openDevice("wasm", { threads: 3 });
const a = device.full([256, 256], 0.5);
process.stdout.write(JSON.stringify({ mean: await a.matmul(a).mean().item() }));
