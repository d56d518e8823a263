export type { Tensor } from "@robgrad/tensor";
