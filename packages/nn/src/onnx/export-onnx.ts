import { create, toBinary } from "@bufbuild/protobuf";
import { codedError, type Cell } from "@robgrad/tensor";
import { Link } from "../link.js";
import { forms, type OnnxForm, type OnnxForms } from "./forms.js";
import { ModelProtoSchema } from "./generated/onnx_pb.js";
import { dataTypeOf, GraphBuilder, type OnnxGraph } from "./graph.js";

/** How a model is exported. */
export interface ExportOptions {
  /** Shape of the input, axis 0 included; a text stands for any extent, such as `["N", 4]`. */
  readonly input: readonly (number | string)[];
  /** Forms of layers that have none here, or other ones: by the class of a link, or by the function itself. */
  readonly forms?: OnnxForms;
}

/** Version of the operators that forms use; runtimes read it since 2022. */
const operators = 17n;
/** Version of the file format that came with it. */
const format = 8n;

/**
 * A trained model as the bytes of an ONNX file, which other software evaluates: inputs `x`, outputs `y`. Layers are as in
 * evaluation.
 *
 * Forms have Sequential, Residual, Linear, Conv1d, Conv2d, MaxPool2d, AvgPool2d, Flatten, Dropout, BatchNorm, LayerNorm, relu,
 * tanh, sigmoid and softplus; `options.forms` adds more.
 *
 * @param model    A link with parameters, which tell the dtype.
 * @param options  `input` shape; `forms` of further layers.
 * @returns        A Promise of the file; its values are those at the call.
 * @throws         Rejects with BAD_ARGUMENT naming a layer that has no form, or for another model or shape; with BAD_DATA where
 *                 a value is not finite.
 * @see            https://onnx.ai/onnx/repo-docs/IR.html
 * @example        const file = await exportOnnx(model, { input: ["N", 2] });
 */
export async function exportOnnx(
  model: Link,
  { input, forms: others = new Map() }: ExportOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!(model instanceof Link)) {
    throw codedError("BAD_ARGUMENT", `exportOnnx: expected a link, found ${typeof model}`);
  }
  if (
    !Array.isArray(input) ||
    !input.every((n) => (typeof n === "string" ? n !== "" : Number.isInteger(n) && n >= 0))
  ) {
    throw codedError(
      "BAD_ARGUMENT",
      `exportOnnx: expected input to list whole numbers ≥ 0 and names of extents, found ${JSON.stringify(input)}`,
    );
  }
  const paths = new Map<Cell, string>();
  for (const [path, { cell }] of model.namedParameters()) paths.set(cell, path);
  for (const [path, cell] of model.namedCells()) paths.set(cell, path);
  const [first] = paths.keys();
  if (first === undefined) throw codedError("BAD_ARGUMENT", "exportOnnx: expected a model with parameters, found none");
  const elemType = dataTypeOf(first.dtype);

  const builder = new GraphBuilder(paths);
  const add = (path: string, layer: unknown, x: string): string => {
    const form = formOf(layer, others) ?? formOf(layer, forms);
    if (form === undefined) {
      throw codedError(
        "BAD_ARGUMENT",
        `exportOnnx: expected layers with an ONNX form, found ${described(layer)}${path && ` at ${path}`}; give it one in \`forms\``,
      );
    }
    const graph: OnnxGraph = {
      node: (operator, inputs, attributes) => builder.node(path, operator, inputs, attributes),
      value: (cell) => builder.value(cell),
      layer: (name, inner, value) => add(path === "" ? name : `${path}.${name}`, inner, value),
    };
    return form(layer as never, x, graph);
  };
  builder.node("", "Identity", [add("", model, "x")]);
  const last = builder.nodes.at(-1) as { output: string[] };
  last.output = ["y"];

  const dim = input.map((extent) => ({
    value:
      typeof extent === "string"
        ? { case: "dimParam" as const, value: extent }
        : { case: "dimValue" as const, value: BigInt(extent) },
  }));
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: format,
      producerName: "robgrad",
      opsetImport: [{ domain: "", version: operators }],
      graph: {
        name: "model",
        node: builder.nodes,
        initializer: await builder.initializers(),
        input: [{ name: "x", type: { value: { case: "tensorType", value: { elemType, shape: { dim } } } } }],
        output: [{ name: "y", type: { value: { case: "tensorType", value: { elemType } } } }],
      },
    }),
  );
}

/** The form of a function, or of the class whose `forward` a link has: one that overrides it is another layer. */
function formOf(layer: unknown, among: OnnxForms): OnnxForm | undefined {
  const known = among.get(layer);
  if (known !== undefined || !(layer instanceof Link)) return known;
  let type: unknown = layer.constructor;
  while (typeof type === "function" && (type.prototype as Partial<Link>).forward === layer.forward) {
    const form = among.get(type);
    if (form !== undefined) return form;
    type = Object.getPrototypeOf(type);
  }
  return undefined;
}

function described(layer: unknown): string {
  if (layer instanceof Link) return layer.constructor.name;
  return typeof layer === "function" ? `the function ${layer.name || "without a name"}` : typeof layer;
}
