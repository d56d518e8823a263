import type { View } from "../../kernel/kernel.js";
import { randomWords } from "../../random/threefry.js";
import { sizeOf } from "../../shape.js";
import { elements, type Routine } from "./routine.js";

/** key uint32 [2], counter uint32 [1] → uint32 [n]: words 2i + lane of the draw, shifted right. */
export const randomBits: Routine = ({ inputs, outputs, attributes }, elementsOf) => {
  const [key, counter] = inputs as [View, View];
  const [out] = outputs as [View];
  const [key0, key1] = elements(key, elementsOf(key)) as unknown as [number, number];
  const words = new Uint32Array(sizeOf(out.shape));
  randomWords(
    [key0, key1],
    elements(counter, elementsOf(counter))[0] as number,
    attributes["lane"] as number,
    attributes["shift"] as number,
    words,
  );
  const target = elementsOf(out);
  for (let i = 0; i < words.length; i++) target[out.offset + i] = words[i] as number;
};
