/**
 * Models for other runtimes. Needs `@bufbuild/protobuf`, which the main entry point does not load.
 *
 * @module
 */

export { exportOnnx, type ExportOptions } from "./onnx/export-onnx.js";
export type { OnnxForm, OnnxForms } from "./onnx/forms.js";
export type { OnnxAttribute, OnnxGraph } from "./onnx/graph.js";
