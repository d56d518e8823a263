import type { Device, DeviceName } from "@robgrad/tensor";
import type { Aggregator } from "../aggregator.js";

/** Makes the rule under test; called anew for every check. A rule that draws random numbers takes the device's. */
export type AggregatorFactory = (device: Device) => Aggregator;

/** What a rule's author says about it. What is not claimed is not tested. */
export interface Claims {
  /** A(g in another order) = A(g) */
  readonly permutationInvariant?: boolean;
  /** A(g + t) = A(g) + t */
  readonly translationEquivariant?: boolean;
  /** A(c·g) = c·A(g) for c > 0 */
  readonly scaleEquivariant?: boolean;
  /** A(g Q) = A(g) Q for orthogonal Q */
  readonly orthogonalEquivariant?: boolean;
  /** The answer for some coordinates depends on those alone. */
  readonly coordinatewise?: boolean;
  /** Share of the samples, in [0, 1/2], that may be anything without carrying the answer away. */
  readonly breakdownPoint?: number;
  /**
   * Most that ⌊breakdownPoint · N⌋ hostile samples move the answer from the honest mean by any of the nine attacks, in
   * root mean squares of the honest gradients' distances from their mean: √κ of (f, κ)-robustness.
   */
  readonly bias?: number;
  /** Gradients of a layer are combined in less memory than half of N × D numbers. */
  readonly withoutRows?: boolean;
  /** Least N that the rule takes; 1 unless given. */
  readonly minimumSamples?: number;
  /** Most N to ask the rule about, where it takes too long beyond; 128 unless given. */
  readonly maximumSamples?: number;
  /** The rule draws random numbers: one rule asked twice may differ, two made alike may not. */
  readonly random?: boolean;
  /** Allowed difference of answers that should be equal, as a share of the size of the gradients; 1e-6 unless given. */
  readonly tolerance?: number;
  /** Device the suite runs on, compared with cpu; cpu unless given, compared with every other that opens. */
  readonly device?: DeviceName;
}
