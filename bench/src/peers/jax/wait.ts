import { blockUntilReady, type JsTree, type numpy as np } from "@jax-js/jax";

/** Until these are computed. Calls are queued, dropped if nobody waits for them, and slow down as the queue grows. */
export async function waitFor(values: JsTree<np.Array>): Promise<void> {
  await blockUntilReady(values);
}
