// What the examples in this package's docstrings may use, besides its own exports and `device`.
import { Variable } from "@robgrad/autograd";
import { openDevice, type Device } from "@robgrad/tensor";

export { Variable };
export type { Device };

export const rng = (await openDevice("cpu")).rng(0);
