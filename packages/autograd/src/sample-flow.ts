import { denseSamples } from "@robgrad/tensor";
import { gatheredRows } from "./gathered-rows.js";
import { repeatedRows } from "./repeated-rows.js";
import {
  agree,
  alignSamples,
  alongSamples,
  assume,
  bySample,
  chainSamples,
  padSamples,
  reduceSamples,
  reshapeSamples,
  rowsOf,
  settled,
  settleLabels,
  sliceSamples,
  standing,
} from "./sample-axis.js";
import { productRows, productSamples } from "./sample-products.js";

/**
 * How samples pass through operations, and how rows are made of gradients. Nodes get these with the question instead of
 * importing them, so that programs without per-sample gradients do not load them.
 */
export const sampleFlow = {
  agree,
  alignSamples,
  alongSamples,
  assume,
  bySample,
  chainSamples,
  denseSamples,
  gatheredRows,
  padSamples,
  productRows,
  productSamples,
  reduceSamples,
  repeatedRows,
  reshapeSamples,
  rowsOf,
  settled,
  settleLabels,
  sliceSamples,
  standing,
};

export type SampleFlow = typeof sampleFlow;
