/** Who wrote a rule's function: the library, where it has one, or somebody who only knows its public interface. */
export type Author = "library" | "stranger";

/** How per-sample gradients become one. */
export type Rule =
  | { readonly kind: "mean" }
  | { readonly kind: "soft"; readonly delta: number; readonly author?: Author }
  | { readonly kind: "median" }
  /** Huber's M-estimator, scaled by the MAD. */
  | { readonly kind: "huber"; readonly tolerance: number; readonly maximum: number; readonly author?: Author }
  /** Geometric median of the means of contiguous blocks; `grouping` says which parameters are one vector. */
  | {
      readonly kind: "gmom";
      readonly blocks: number;
      readonly tolerance: number;
      readonly grouping: "layer" | "all";
    };

/** A layer's initial values: W [Q, P] and b [Q], row by row. */
export interface Layer {
  readonly W: Float64Array;
  readonly b: Float64Array;
}

export interface TrainingData {
  /** [N, P], row by row. */
  readonly x: Float64Array;
  /** [N], in 0 … C − 1. */
  readonly labels: Int32Array;
  readonly layers: readonly Layer[];
}

interface Named {
  readonly id: string;
  /** What is done, for people. */
  readonly title: string;
  /** Calls in one round. */
  readonly calls: number;
}

/** out [M, N] = a b, each as stored or transposed. */
export interface ProductWork extends Named {
  readonly kind: "product";
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** a is stored [inner, rows]. */
  readonly transposeA: boolean;
  /** b is stored [columns, inner]. */
  readonly transposeB: boolean;
}

/** Whole steps of gradient descent on a ReLU network with softmax cross-entropy. */
export interface TrainingWork extends Named {
  readonly kind: "training";
  readonly samples: number;
  /** Of the layers, the input first. */
  readonly widths: readonly number[];
  readonly stepSize: number;
  readonly rule: Rule;
  /** Layers whose gradients the rule combines; the others take the mean. */
  readonly robust: "first" | "all";
  readonly data: () => TrainingData;
}

/**
 * Whole steps of gradient descent on images [N, 1, side, side]: twice a convolution without padding, ReLU and the largest of
 * every 2 × 2, then a dense layer with softmax cross-entropy. The rule combines the gradients of all layers.
 */
export interface ConvolutionWork extends Named {
  readonly kind: "convolution";
  readonly samples: number;
  readonly side: number;
  /** Of the images, and of what each convolution makes of them. */
  readonly channels: readonly [number, number, number];
  /** Of the square kernels. */
  readonly kernel: number;
  readonly classes: number;
  readonly stepSize: number;
  readonly rule: Rule;
  readonly data: () => TrainingData;
}

/** y = ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) of every element. */
export interface ChainWork extends Named {
  readonly kind: "chain";
  readonly length: number;
}

/** x [B, T, D], row by row, and the parameters of an LSTM: U [D, 4H], W [H, 4H] and b [4H], gates i, f, candidate, o. */
export interface SequenceData {
  readonly x: Float64Array;
  readonly U: Float64Array;
  readonly W: Float64Array;
  readonly b: Float64Array;
}

/** L = mean of h² over all steps of an LSTM without peepholes, with its gradients in x, U, W and b. */
export interface SequenceWork extends Named {
  readonly kind: "sequence";
  readonly steps: number;
  readonly batch: number;
  readonly inputs: number;
  readonly hidden: number;
  readonly data: (work: SequenceWork) => SequenceData;
}

export type Work = ProductWork | TrainingWork | ConvolutionWork | ChainWork | SequenceWork;

/** Sides of the images that go into both convolutions and the dense layer. */
export function sidesOf({ side, kernel }: ConvolutionWork): readonly [number, number, number] {
  const after = (extent: number) => (extent - kernel + 1) / 2;
  return [side, after(side), after(after(side))];
}

/** The rule for a layer of a training work. */
export function ruleOf(work: TrainingWork, layer: number): Rule {
  return work.robust === "all" || layer === 0 ? work.rule : { kind: "mean" };
}
