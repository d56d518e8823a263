import type { View } from "../../kernel/kernel.js";
import { noFault } from "../faults.js";
import type { Routine } from "./routine.js";

/** first int32 [1] → the fault cell, when it names an element and no fault is set yet. */
export const check: Routine = ({ inputs, outputs, attributes }, elementsOf) => {
  const [first] = inputs as [View];
  const [cell] = outputs as [View];
  const index = elementsOf(first)[first.offset] as number;
  const fault = elementsOf(cell);
  if (index === noFault || fault[0] !== 0) return;
  fault[0] = attributes["code"] as number;
  fault[1] = attributes["node"] as number;
  fault[2] = attributes["parameter"] as number;
  fault[3] = index;
};
