import { sequences } from "../inputs.js";
import type { SequenceWork } from "../work.js";

/** Layers over sequences. */
export const recurrent: readonly SequenceWork[] = [
  {
    kind: "sequence",
    id: "lstm",
    title: "LSTM, 50 steps, batch 32, 32 → 64: forward and backward",
    calls: 5,
    steps: 50,
    batch: 32,
    inputs: 32,
    hidden: 64,
    data: sequences,
  },
];
