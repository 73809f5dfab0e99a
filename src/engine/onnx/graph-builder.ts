import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type GraphProto,
  type ValueInfoProto,
} from './generated/onnx_pb';

/** Versions that every graph states: opset 18 has all operators used here, and IR version 8 belongs to it. */
const opsetVersion = 18n;
const irVersion = 8n;

/** A value inside a graph: the output of an operator, an input or a constant. */
export interface Value {
  readonly name: string;
}

/** A dimension: fixed, or a name where it may differ from run to run. */
export type Dimension = number | string;

type ElementType = 'float32' | 'int64';
const dataTypes: Readonly<Record<ElementType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  int64: TensorProto_DataType.INT64,
};

/** Builds one ONNX graph, operator by operator; each operator method is the ONNX operator of the same name. */
export class GraphBuilder {
  private readonly graph: GraphProto;
  private names = 0;

  /** @param name name of the graph, for profilers and viewers */
  constructor(name: string) {
    this.graph = create(GraphProtoSchema, { name });
  }

  input(name: string, shape: readonly Dimension[], type: ElementType = 'float32'): Value {
    this.graph.input.push(valueInfo(name, shape, type));
    return { name };
  }

  output(name: string, value: Value, shape: readonly Dimension[], type: ElementType = 'float32'): void {
    this.append('Identity', [value], {}, [name]);
    this.graph.output.push(valueInfo(name, shape, type));
  }

  /** A float32 scalar. */
  scalar(value: number): Value {
    return this.initializer('float32', [], new Float32Array([value]));
  }

  /** A float32 constant. */
  floats(shape: readonly number[], data: Float32Array): Value {
    return this.initializer('float32', shape, data);
  }

  /** An int64 vector, as operators take axes, shapes and bounds. */
  integers(...values: readonly number[]): Value {
    return this.initializer('int64', [values.length], BigInt64Array.from(values, BigInt));
  }

  add = (a: Value, b: Value): Value => this.append('Add', [a, b]);
  subtract = (a: Value, b: Value): Value => this.append('Sub', [a, b]);
  multiply = (a: Value, b: Value): Value => this.append('Mul', [a, b]);
  divide = (a: Value, b: Value): Value => this.append('Div', [a, b]);
  matMul = (a: Value, b: Value): Value => this.append('MatMul', [a, b]);
  negate = (a: Value): Value => this.append('Neg', [a]);
  exp = (a: Value): Value => this.append('Exp', [a]);
  log = (a: Value): Value => this.append('Log', [a]);
  sqrt = (a: Value): Value => this.append('Sqrt', [a]);
  /** Elements of `a` where they are above those of `b`, 0 elsewhere. */
  whereAbove = (a: Value, b: Value): Value => this.append('Where', [this.append('Greater', [a, b]), a, this.scalar(0)]);
  relu = (a: Value): Value => this.append('Relu', [a]);
  sigmoid = (a: Value): Value => this.append('Sigmoid', [a]);
  softmax = (a: Value): Value => this.append('Softmax', [a], { axis: -1 });
  logSoftmax = (a: Value): Value => this.append('LogSoftmax', [a], { axis: -1 });
  transpose = (a: Value, order: readonly number[]): Value => this.append('Transpose', [a], { perm: order });
  /** `shape` may hold one -1 (inferred) and zeros (kept). */
  reshape = (a: Value, shape: readonly number[]): Value => this.append('Reshape', [a, this.integers(...shape)]);
  concat = (axis: number, ...parts: readonly Value[]): Value => this.append('Concat', parts, { axis });
  reduceMax = (a: Value, axis: number): Value => this.append('ReduceMax', [a, this.integers(axis)], { keepdims: 1 });
  reduceMean = (a: Value, axis: number): Value => this.append('ReduceMean', [a, this.integers(axis)], { keepdims: 1 });
  reduceSum = (a: Value, axis: number): Value => this.append('ReduceSum', [a, this.integers(axis)], { keepdims: 1 });
  gatherElements = (a: Value, indices: Value, axis: number): Value => this.append('GatherElements', [a, indices], { axis });
  /** `a B^T` for matrices: weights stay in the `[out, in]` layout of a checkpoint. */
  linear = (a: Value, weight: Value): Value => this.append('Gemm', [a, weight], { transB: 1 });

  /** Elements `[from, to)` along an axis. */
  slice(a: Value, axis: number, from: number, to: number): Value {
    return this.append('Slice', [a, this.integers(from), this.integers(to), this.integers(axis)]);
  }

  /** `count` zeros appended along an axis of a tensor of rank `rank`. */
  padEnd(a: Value, rank: number, axis: number, count: number): Value {
    const ends = Array.from({ length: rank }, (_, dimension) => (dimension === axis ? count : 0));
    return this.append('Pad', [a, this.integers(...Array.from(ends, () => 0), ...ends)]);
  }

  /** The model in ONNX's binary form. */
  build(): Uint8Array {
    const model = create(ModelProtoSchema, {
      irVersion,
      opsetImport: [create(OperatorSetIdProtoSchema, { domain: '', version: opsetVersion })],
      producerName: 'two-heads',
      graph: this.graph,
    });
    return toBinary(ModelProtoSchema, model);
  }

  private append(
    opType: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, number | readonly number[]>> = {},
    output: readonly string[] = [this.fresh(opType)],
  ): Value {
    this.graph.node.push(
      create(NodeProtoSchema, {
        opType,
        name: `${opType}_${this.graph.node.length}`,
        input: inputs.map((value) => value.name),
        output: [...output],
        attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      }),
    );
    return { name: output[0] };
  }

  private initializer(type: ElementType, dims: readonly number[], data: Float32Array | BigInt64Array): Value {
    const name = this.fresh('constant');
    // Raw data is little-endian, and so is every platform that ONNX Runtime's Node package ships for.
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.graph.initializer.push(
      create(TensorProtoSchema, { name, dataType: dataTypes[type], dims: dims.map(BigInt), rawData }),
    );
    return { name };
  }

  private fresh(stem: string): string {
    this.names += 1;
    return `${stem}:${this.names}`;
  }
}

function attribute(name: string, value: number | readonly number[]): AttributeProto {
  return typeof value === 'number'
    ? create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) })
    : create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints: value.map(BigInt) });
}

function valueInfo(name: string, shape: readonly Dimension[], type: ElementType): ValueInfoProto {
  const dim = shape.map((dimension) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        typeof dimension === 'number'
          ? { case: 'dimValue', value: BigInt(dimension) }
          : { case: 'dimParam', value: dimension },
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
