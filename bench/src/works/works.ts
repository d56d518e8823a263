import type { Work } from "../work.js";
import { chain } from "./chain.js";
import { cnn } from "./cnn.js";
import { gemm } from "./gemm.js";
import { iris } from "./iris.js";
import { mnist } from "./mnist.js";

export const works: readonly Work[] = [...gemm, ...iris, ...mnist, ...cnn, ...chain];
