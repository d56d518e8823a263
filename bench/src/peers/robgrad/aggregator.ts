import { mean, median, medianOfMeans, mEstimator, softTruncation, type Aggregator } from "@robgrad/aggregators";
import type { Rule } from "../../work.js";
import { strangersTruncation } from "./strangers-truncation.js";

export function aggregator(rule: Rule): Aggregator {
  switch (rule.kind) {
    case "mean":
      return mean();
    case "soft":
      return rule.author === "stranger" ? strangersTruncation(rule.delta) : softTruncation({ delta: rule.delta });
    case "median":
      return median();
    case "huber":
      return mEstimator({
        influence: rule.author === "stranger" ? (u) => u.maximum(-1.345).minimum(1.345) : "huber",
        scale: "mad",
        tolerance: rule.tolerance,
        maximum: rule.maximum,
      });
    case "gmom":
      return medianOfMeans({ blocks: rule.blocks, tolerance: rule.tolerance });
  }
}
