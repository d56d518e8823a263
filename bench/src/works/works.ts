import type { Work } from "../work.js";
import { chain } from "./chain.js";
import { cnn } from "./cnn.js";
import { gemm } from "./gemm.js";
import { iris } from "./iris.js";
import { mnist } from "./mnist.js";
import { recurrent } from "./recurrent.js";

export const works: readonly Work[] = [...gemm, ...iris, ...mnist, ...cnn, ...chain, ...recurrent];
