import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type FunctionProto,
  FunctionProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  type OperatorSetIdProto,
  OperatorSetIdProtoSchema,
  type StringStringEntryProto,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './generated/onnx_pb';
import { dataTypes, type Dimension, type ElementType, Operators, type Value } from './operators';

/** The domain of Two Heads' own functions. */
export const functionDomain = 'two-heads';

/** A model-local function: a subgraph with a name, which nodes call like an operator. */
export interface ModelFunction {
  readonly opType: string;
  readonly domain: string;
  readonly proto: FunctionProto;
}

/** Builds a model-local function (FunctionProto, since IR version 8). It has no initializers: constants are nodes. */
export class FunctionBuilder extends Operators {
  private readonly proto: FunctionProto;

  constructor(private readonly name: string) {
    const proto = create(FunctionProtoSchema, { name, domain: functionDomain, opsetImport: [operatorSet('', opsetVersion)] });
    super(proto.node);
    this.proto = proto;
  }

  input(name: string): Value {
    this.proto.input.push(name);
    return { name };
  }

  output(name: string, value: Value): void {
    this.append('Identity', [value], {}, [name]);
    this.proto.output.push(name);
  }

  /** @param documentation what it computes, for viewers */
  build(documentation: string): ModelFunction {
    this.proto.docString = documentation;
    return { opType: this.name, domain: functionDomain, proto: this.proto };
  }

  protected override constant(tensor: TensorProto): Value {
    const name = this.fresh('constant');
    const value = create(AttributeProtoSchema, { name: 'value', type: AttributeProto_AttributeType.TENSOR, t: tensor });
    this.proto.node.push(create(NodeProtoSchema, { opType: 'Constant', name, output: [name], attribute: [value] }));
    return { name };
  }
}

export type { Dimension, Value } from './operators';

/** Versions declared by every graph: opset 18 has all operators used here, and IR version 8 belongs to it. */
export const opsetVersion = 18;
export const irVersion = 8;

/** Parts of a model besides its graph. */
interface ModelParts {
  /** Model-local functions that its nodes call. */
  readonly functions?: readonly ModelFunction[];
  /** Notes for readers of the file: properties of the model, and what it computes. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly documentation?: string;
  /** What its inputs and outputs hold, by name. */
  readonly values?: Readonly<Record<string, string>>;
}

/** A model whose large constants are in a second file. */
interface SplitModel {
  readonly model: Uint8Array;
  /** Content of the second file, in order, as separate chunks. */
  readonly data: readonly Uint8Array[];
}

/** A model to be run: its bytes, and beside them its large constants, each under the name of a file that the model has for it. */
export interface Graph {
  readonly model: Uint8Array;
  readonly beside: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/** Offsets in an external file are multiples of this, so that it can be memory-mapped. */
const externalAlignment = 4096;

/** Constants smaller than this stay in the model: ONNX's checker needs to see shapes and axes. */
const smallestExternal = 1024;

/** Builds one ONNX graph. */
export class GraphBuilder extends Operators {
  private readonly graph: GraphProto;

  /** @param name name of the graph, for profilers and viewers @param forRuntime see `Operators` */
  constructor(name: string, forRuntime = false) {
    const graph = create(GraphProtoSchema, { name });
    super(graph.node, forRuntime);
    this.graph = graph;
  }

  /** Nodes so far. */
  get nodeCount(): number {
    return this.graph.node.length;
  }

  /** Bytes of constants so far. */
  get constantBytes(): number {
    return this.graph.initializer.reduce((sum, { rawData }) => sum + rawData.length, 0);
  }

  input(name: string, shape: readonly Dimension[], type: ElementType = 'float32'): Value {
    this.graph.input.push(valueInfo(name, shape, type));
    return { name };
  }

  output(name: string, value: Value, shape: readonly Dimension[], type: ElementType = 'float32'): void {
    this.append('Identity', [value], {}, [name]);
    this.graph.output.push(valueInfo(name, shape, type));
  }

  /** The model in ONNX's binary form. */
  build(parts: ModelParts = {}): Uint8Array {
    return toBinary(ModelProtoSchema, this.model(parts));
  }

  /**
   * The model with its large constants in a separate file, as required above 2 GB.
   *
   * @param location name of that file, next to the model's
   */
  buildSplit(location: string, parts: ModelParts = {}): SplitModel {
    const data: Uint8Array[] = [];
    let offset = 0;
    for (const tensor of this.graph.initializer) {
      const { rawData } = tensor;
      if (rawData.length < smallestExternal) {
        continue;
      }
      const padding = -offset & (externalAlignment - 1);
      data.push(new Uint8Array(padding), rawData);
      offset += padding;
      storeApart(tensor, location, offset);
      offset += rawData.length;
    }
    return { model: this.build(parts), data };
  }

  /** The model to be run, with its large constants apart: they are not copied. */
  buildApart(parts: ModelParts = {}): Graph {
    const beside: { path: string; data: Uint8Array }[] = [];
    for (const tensor of this.graph.initializer.filter(({ rawData }) => rawData.length >= smallestExternal)) {
      const path = `constant-${beside.length}`;
      beside.push({ path, data: tensor.rawData });
      storeApart(tensor, path, 0);
    }
    return { model: this.build(parts), beside };
  }

  protected override constant(tensor: TensorProto): Value {
    this.graph.initializer.push(tensor);
    return tensor;
  }

  private model({
    functions = [],
    metadata = {},
    documentation = '',
    values = {},
  }: ModelParts): Parameters<typeof toBinary<typeof ModelProtoSchema>>[1] {
    const domains = new Set([...functions, ...this.graph.node].map(({ domain }) => domain).filter((domain) => domain !== ''));
    this.graph.docString = documentation;
    [...this.graph.input, ...this.graph.output].forEach((value) => (value.docString = values[value.name] ?? ''));
    return create(ModelProtoSchema, {
      irVersion: BigInt(irVersion),
      opsetImport: [operatorSet('', opsetVersion), ...[...domains].map((domain) => operatorSet(domain, 1))],
      producerName: 'two-heads',
      docString: documentation,
      graph: this.graph,
      functions: functions.map(({ proto }) => proto),
      metadataProps: entries(metadata),
    });
  }
}

/** Has a constant say where it is, in place of having its numbers. */
function storeApart(tensor: TensorProto, location: string, offset: number): void {
  tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
  tensor.externalData = entries({ location, offset: String(offset), length: String(tensor.rawData.length) });
  tensor.rawData = new Uint8Array();
}

/** The version of a domain's operators that a model or function uses. */
function operatorSet(domain: string, version: number): OperatorSetIdProto {
  return create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) });
}

function entries(values: Readonly<Record<string, string>>): StringStringEntryProto[] {
  return Object.entries(values).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
}

function valueInfo(name: string, shape: readonly Dimension[], type: ElementType): ValueInfoProto {
  const dim = shape.map((dimension) =>
    create(TensorShapeProto_DimensionSchema, {
      value: typeof dimension === 'number' ? { case: 'dimValue', value: BigInt(dimension) } : { case: 'dimParam', value: dimension },
    }),
  );
  const tensorType = create(TypeProto_TensorSchema, {
    elemType: dataTypes[type],
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType } }),
  });
}
