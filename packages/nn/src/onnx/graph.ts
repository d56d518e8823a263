import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { codedError, type Cell, type DType, type TypedArray } from "@robgrad/tensor";
import {
  AttributeProto_AttributeType,
  TensorProto_DataType,
  TensorProtoSchema,
  type AttributeProtoSchema,
  type NodeProtoSchema,
  type TensorProto,
} from "./generated/onnx_pb.js";

/** A whole number, a list of them, or text; a number that is not whole stands for itself. */
export type OnnxAttribute = number | readonly number[] | string | { readonly float: number };

/** What a form adds to: values are known by names. */
export interface OnnxGraph {
  /**
   * Adds a node of one output.
   *
   * @param operator    Of the default operator set, version 17, such as `Gemm`.
   * @returns           The name of its output.
   */
  node(operator: string, inputs: readonly string[], attributes?: Readonly<Record<string, OnnxAttribute>>): string;
  /** Adds the value of a cell, such as that of a parameter, and returns its name. */
  value(cell: Cell): string;
  /** Adds a layer inside this one by its own form; `name` says where it is, such as `body`. */
  layer(name: string, layer: unknown, x: string): string;
}

const dataTypes: Readonly<Record<DType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  float64: TensorProto_DataType.DOUBLE,
  int32: TensorProto_DataType.INT32,
  uint32: TensorProto_DataType.UINT32,
  bool: TensorProto_DataType.BOOL,
};

export const dataTypeOf = (dtype: DType): TensorProto_DataType => dataTypes[dtype];

export function attribute(name: string, value: OnnxAttribute): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === "string") {
    return { name, type: AttributeProto_AttributeType.STRING, s: new TextEncoder().encode(value) };
  }
  if (typeof value === "number") return { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) };
  if ("float" in value) return { name, type: AttributeProto_AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeProto_AttributeType.INTS, ints: value.map(BigInt) };
}

/** The nodes and values of a model in the order of its layers. */
export class GraphBuilder {
  readonly nodes: MessageInitShape<typeof NodeProtoSchema>[] = [];
  readonly #names = new Map<Cell, string>();
  readonly #paths: ReadonlyMap<Cell, string>;

  constructor(paths: ReadonlyMap<Cell, string>) {
    this.#paths = paths;
  }

  node(
    path: string,
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    const name = `${path === "" ? "" : `${path}/`}${operator}_${this.nodes.length}`;
    this.nodes.push({
      opType: operator,
      name,
      input: [...inputs],
      output: [name],
      attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    });
    return name;
  }

  value(cell: Cell): string {
    let name = this.#names.get(cell);
    if (name === undefined) this.#names.set(cell, (name = this.#paths.get(cell) ?? `value_${this.#names.size}`));
    return name;
  }

  /** Every value with its elements at the call. */
  async initializers(): Promise<TensorProto[]> {
    return Promise.all([...this.#names].map(async ([cell, name]) => tensorOf(name, cell, await cell.current.data())));
  }
}

function tensorOf(name: string, { shape, dtype }: Cell, data: TypedArray): TensorProto {
  const wrong = data.findIndex((element) => !Number.isFinite(element));
  if (wrong >= 0) {
    throw codedError("BAD_DATA", `exportOnnx: expected ${name} to be finite, found ${data[wrong]} at element ${wrong}`);
  }
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: dataTypeOf(dtype),
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  });
}
