import {
  codedError,
  hasCode,
  isSampleMatrix,
  Tensor,
  type ErrorCode,
  type SampleMatrix,
  type ScalarFunction,
} from "@robgrad/tensor";
import { withTransientMemory, type Memory } from "./memory.js";

const brand: unique symbol = Symbol.for("robgrad.aggregator");

/**
 * A rule: from the N gradients of a batch to one. Made by {@link defineAggregator}.
 *
 * @example  const rule: Aggregator = mean(); rule(gradients);
 */
export interface Aggregator {
  /** [N, D] → [D], an estimate of the mean row. */
  (gradients: SampleMatrix, memory?: Memory): Tensor;
  /** What errors and tables call it, such as `"trimmed-mean"`. */
  readonly label: string;
  /** For rules that are weighted sums: the weights [N] with which `gradients.combine` gives the answer. */
  readonly weights?: (gradients: SampleMatrix) => Tensor;
  /** For rules with an influence function ψ: what a row's deviations are, and what counts of them. */
  readonly residuals?: (gradients: SampleMatrix) => Residuals;
  readonly [brand]: true;
}

/** Deviations z = (gₙ − center)/scale of which a rule counts ψ(z). */
export interface Residuals {
  /** [D] */
  readonly center: Tensor;
  /** [D], in the units of the gradient; 0 where nothing deviates. */
  readonly scale: Tensor;
  /** ψ, with ψ′(0) = 1. */
  readonly influence: ScalarFunction;
}

/** What a rule tells about itself, for {@link explain}; neither changes its answers. */
export type AggregatorOptions = Pick<Aggregator, "weights" | "residuals">;

/** The body of a rule; `memory` keeps cells from one step to the next. */
export type Rule = (gradients: SampleMatrix, memory: Memory) => Tensor;

/** Codes of errors that are not about what the rule's author wrote. */
const passedOn: readonly ErrorCode[] = [
  "BAD_DATA",
  "BAD_PLUGIN",
  "DEVICE_LOST",
  "DISPOSED",
  "MEMORY_LIMIT",
  "NOT_REPLAYABLE",
];

/**
 * Makes a rule out of a function that answers with one row for N.
 *
 * The function asks the sample matrix: `mean`, `columns` and `combine` never form N × D, `rows` does. What it answers
 * is checked at every call.
 *
 * @param label    Names the rule in errors and tables.
 * @param rule     Called with the gradients and with a memory whose cells outlive the step; returns [D] in the dtype
 *                 and on the device of the gradients.
 * @param options  `weights`, for a rule that is `gradients.combine` of weights [N]; `residuals`, for one with an
 *                 influence function.
 * @returns        The rule, for {@link aggregate} or to be called with a sample matrix.
 * @throws         BAD_PLUGIN for a label or a rule of the wrong kind; from the rule made, BAD_PLUGIN naming it when its
 *                 answer is not [D] or when it throws, BAD_ARGUMENT when it throws that, or for gradients that are not
 *                 a sample matrix.
 * @example
 * const midrange = defineAggregator("midrange", (g) => g.columns((c) => c.min().add(c.max()).mul(0.5)));
 * midrange(gradients);
 */
export function defineAggregator(
  label: string,
  rule: Rule,
  { weights, residuals }: AggregatorOptions = {},
): Aggregator {
  if (typeof label !== "string" || label === "") {
    throw codedError(
      "BAD_PLUGIN",
      `defineAggregator: expected a label such as "trimmed-mean", found ${describe(label)}`,
    );
  }
  if (typeof rule !== "function") {
    throw codedError(
      "BAD_PLUGIN",
      `defineAggregator("${label}"): expected a function from a sample matrix to a tensor, found ${describe(rule)}`,
    );
  }
  const checked = (gradients: SampleMatrix, memory: Memory): Tensor => {
    let result: Tensor;
    try {
      result = rule(gradients, memory);
    } catch (error) {
      if (passedOn.some((code) => hasCode(error, code))) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      if (hasCode(error, "BAD_ARGUMENT"))
        throw codedError("BAD_ARGUMENT", `rule ${label}: ${reason}`, { cause: error });
      throw codedError(
        "BAD_PLUGIN",
        `rule ${label}: expected a tensor [${gradients.features}], found that it throws: ${reason}`,
        { cause: error },
      );
    }
    checkResult(label, gradients, result);
    return result;
  };
  const aggregator = (gradients: SampleMatrix, memory?: Memory): Tensor => {
    checkGradients(label, gradients);
    return memory === undefined
      ? withTransientMemory(label, gradients.device, (own) => checked(gradients, own))
      : checked(gradients, memory);
  };
  Object.defineProperty(aggregator, "name", { value: label });
  const told = { ...(weights === undefined ? {} : { weights }), ...(residuals === undefined ? {} : { residuals }) };
  return Object.assign(aggregator, { label, [brand]: true as const, ...told });
}

/**
 * Tells a rule (of any copy of this package) from other values.
 *
 * @example  isAggregator(mean())
 */
export function isAggregator(value: unknown): value is Aggregator {
  return typeof value === "function" && brand in value;
}

/** The rule itself, or BAD_PLUGIN with what to do about it. */
export function checkAggregator(subject: string, value: unknown): asserts value is Aggregator {
  if (isAggregator(value)) return;
  const advice =
    typeof value === "function"
      ? `a bare function${value.name ? ` ${value.name}` : ""}; wrap it: defineAggregator("label", rule), or call it if it makes a rule`
      : describe(value);
  throw codedError("BAD_PLUGIN", `${subject}: expected a rule made by defineAggregator, found ${advice}`);
}

function checkGradients(label: string, gradients: unknown): asserts gradients is SampleMatrix {
  if (!isSampleMatrix(gradients)) {
    throw codedError(
      "BAD_ARGUMENT",
      `rule ${label}: expected a sample matrix, found ${describe(gradients)}; denseSamples(rows) makes one of a tensor, aggregate(…) takes a map of them`,
    );
  }
  if (gradients.samples < 1) {
    throw codedError(
      "BAD_ARGUMENT",
      `rule ${label}: expected at least one sample, found a sample matrix [0, ${gradients.features}]`,
    );
  }
}

function checkResult(label: string, gradients: SampleMatrix, result: unknown): asserts result is Tensor {
  const wanted = `${gradients.dtype} [${gradients.features}]`;
  if (!Tensor.is(result))
    throw codedError(
      "BAD_PLUGIN",
      `rule ${label}: expected it to return a tensor ${wanted}, found ${describe(result)}`,
    );
  const [length] = result.shape;
  if (result.shape.length !== 1 || length !== gradients.features || result.dtype !== gradients.dtype) {
    throw codedError(
      "BAD_PLUGIN",
      `rule ${label}: expected it to return a tensor ${wanted}, found ${result.dtype} [${result.shape.join(", ")}]`,
    );
  }
  if (result.device !== gradients.device) {
    throw codedError(
      "BAD_PLUGIN",
      `rule ${label}: expected it to return a tensor on the gradients' device, found one on another (${result.device.name})`,
    );
  }
}

/** A value in an error message. */
export function describe(value: unknown): string {
  if (Tensor.is(value)) return `a tensor ${value.dtype} [${value.shape.join(", ")}]`;
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return `a function${value.name ? ` ${value.name}` : ""}`;
  if (Array.isArray(value)) return "an array";
  if (typeof value !== "object") return String(value);
  if (typeof (value as PromiseLike<unknown>).then === "function") return "a Promise";
  return `an object${value.constructor?.name ? ` ${value.constructor.name}` : ""}`;
}
