// What the examples in this package's docstrings may use, besides its own exports and `device`.
import { Variable } from "@robgrad/autograd";
import { Linear, momentum, Sequential } from "@robgrad/nn";
import { openDevice, type Device } from "@robgrad/tensor";

export { Variable };
export type { Device };

const home = await openDevice("cpu");
export const rng = home.rng(0);
export const model = new Sequential(new Linear(2, 3, { rng }));
export const optimizer = momentum({ stepSize: 0.1 });
export const gradients = new Map([...model.parameters()].map((p) => [p, home.ones(p.shape)]));
