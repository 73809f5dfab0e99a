import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  type AttributeProto,
  type NodeProto,
  type TensorProto,
} from './generated/onnx_pb';

/** A value inside a graph: the output of an operator, an input or a constant. */
export interface Value {
  readonly name: string;
}

/** A dimension: fixed, or a name if it may differ between runs. */
export type Dimension = number | string;

export type ElementType = 'float32' | 'float16' | 'float64' | 'int32' | 'int64' | 'uint8';

/** ONNX's codes for the element types. */
export const dataTypes: Readonly<Record<ElementType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  float16: TensorProto_DataType.FLOAT16,
  float64: TensorProto_DataType.DOUBLE,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  uint8: TensorProto_DataType.UINT8,
};

/** The domain of ONNX Runtime's own operators. */
export const runtimeDomain = 'com.microsoft';

/** A node's operator: its name, and its domain unless it is ONNX's own. */
interface OperatorName {
  readonly opType: string;
  readonly domain?: string;
}

/** The end of a slice that reaches to the end of its axis. */
export const largestEnd = 2 ** 31 - 1;

/** Builds nodes, one operator each; every method is the ONNX operator of the same name. */
export abstract class Operators {
  private names = 0;

  /** @param forRuntime whether only ONNX Runtime is to run them, so that its own operators can take the place of several of ONNX's */
  protected constructor(
    private readonly nodes: NodeProto[],
    readonly forRuntime = false,
  ) {}

  /** A constant. Graphs store it as an initializer, functions as a node. */
  protected abstract constant(tensor: TensorProto): Value;

  /** A float32 scalar. */
  scalar(value: number): Value {
    return this.tensor('float32', [], new Float32Array([value]));
  }

  /** A float32 constant. @param name for readers of the graph; must be unique */
  floats(shape: readonly number[], data: Float32Array, name?: string): Value {
    return this.tensor('float32', shape, data, name);
  }

  /** A constant of bytes. @param name as of `floats` */
  bytes(shape: readonly number[], data: Uint8Array, name?: string): Value {
    return this.tensor('uint8', shape, data, name);
  }

  /** An int64 vector, for axes, shapes and bounds of operators. */
  integers(...values: readonly number[]): Value {
    return this.indices(values);
  }

  /** An int64 vector of any length; a call is limited to some hundred thousand arguments. */
  indices(values: ArrayLike<number>): Value {
    return this.tensor('int64', [values.length], BigInt64Array.from(values, BigInt));
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
  /** Elements of `a` where they are greater than those of `b`, 0 elsewhere. */
  whereAbove = (a: Value, b: Value): Value => this.append('Where', [this.append('Greater', [a, b]), a, this.scalar(0)]);
  /** 1 where an element of `a` is greater than that of `b`, 0 elsewhere. */
  isAbove = (a: Value, b: Value): Value => this.append('Where', [this.append('Greater', [a, b]), this.scalar(1), this.scalar(0)]);
  max = (a: Value, b: Value): Value => this.append('Max', [a, b]);
  min = (a: Value, b: Value): Value => this.append('Min', [a, b]);
  relu = (a: Value): Value => this.append('Relu', [a]);
  erf = (a: Value): Value => this.append('Erf', [a]);
  tanh = (a: Value): Value => this.append('Tanh', [a]);
  sigmoid = (a: Value): Value => this.append('Sigmoid', [a]);
  softmax = (a: Value): Value => this.append('Softmax', [a], { axis: -1 });
  logSoftmax = (a: Value): Value => this.append('LogSoftmax', [a], { axis: -1 });
  transpose = (a: Value, order: readonly number[]): Value => this.append('Transpose', [a], { perm: order });
  /** Numbers x bent to `limit tanh(x / limit)`, none beyond the limit. */
  cap = (a: Value, limit: Value): Value => this.multiply(this.tanh(this.divide(a, limit)), limit);
  /** `shape` may hold one -1 (inferred) and zeros (kept). */
  reshape = (a: Value, shape: readonly number[]): Value => this.append('Reshape', [a, this.integers(...shape)]);
  concat = (axis: number, ...parts: readonly Value[]): Value => this.append('Concat', parts, { axis });
  reduceMax = (a: Value, ...axes: readonly number[]): Value => this.append('ReduceMax', [a, this.integers(...axes)], { keepdims: 1 });
  reduceMean = (a: Value, ...axes: readonly number[]): Value => this.append('ReduceMean', [a, this.integers(...axes)], { keepdims: 1 });
  reduceSum = (a: Value, ...axes: readonly number[]): Value => this.append('ReduceSum', [a, this.integers(...axes)], { keepdims: 1 });
  /** Indices of the largest elements along an axis, int64. */
  argMax = (a: Value, axis: number): Value => this.append('ArgMax', [a], { axis, keepdims: 1 });
  /** The `count` largest elements along the last axis and their indices, int64; of equal ones those of lower indices. */
  topK = (a: Value, count: number): [values: Value, indices: Value] =>
    this.call({ opType: 'TopK' }, [a, this.integers(count)], 2, { axis: -1 }) as [Value, Value];
  /** `a`, and where it is beyond a bound that bound. */
  clip = (a: Value, low: number, high: number): Value => this.append('Clip', [a, this.scalar(low), this.scalar(high)]);
  /** Where the elements of an int64 vector are a number, ascending: an int64 vector. */
  placesOf = (a: Value, number: number): Value =>
    this.reshape(this.append('NonZero', [this.append('Equal', [a, this.integers(number)])]), [-1]);
  /** Indices divided by a number, rounded down. */
  divideIndices = (a: Value, by: number): Value => this.append('Div', [a, this.integers(by)]);
  /** A copy of a matrix with other rows in some places, an int64 vector without repetition. */
  scatterRows = (a: Value, places: Value, rows: Value): Value => this.append('ScatterND', [a, this.reshape(places, [-1, 1]), rows]);
  gatherElements = (a: Value, indices: Value, axis: number): Value => this.append('GatherElements', [a, indices], { axis });
  /** `a B^T` for matrices, plus a bias if there is one: weights stay in the `[out, in]` layout of a checkpoint. */
  linear = (a: Value, weight: Value, bias?: Value): Value =>
    this.append('Gemm', bias === undefined ? [a, weight] : [a, weight, bias], { transB: 1 });

  /** Elements `[from, to)` along an axis. */
  slice(a: Value, axis: number, from: number, to: number): Value {
    return this.append('Slice', [a, this.integers(from), this.integers(to), this.integers(axis)]);
  }

  /** `a` in as many parts as its axis is long. */
  split(a: Value, axis: number, parts: number): Value[] {
    return this.call({ opType: 'Split' }, [a], parts, { axis, num_outputs: parts });
  }

  /** Appends `count` copies of a number along an axis of a tensor of rank `rank`. */
  padEnd(a: Value, rank: number, axis: number, count: number, value = 0): Value {
    const ends = Array.from({ length: rank }, (_, dimension) => (dimension === axis ? count : 0));
    return this.append('Pad', [a, this.integers(...Array.from(ends, () => 0), ...ends), this.scalar(value)]);
  }

  /** Converts the elements to another type. */
  cast = (a: Value, type: ElementType): Value => this.append('Cast', [a], { to: dataTypes[type] });
  /** Slices of `a` along an axis, by a constant vector of indices. */
  gather = (a: Value, indices: Value, axis: number): Value => this.append('Gather', [a, indices], { axis });

  /** A node with several outputs, or of another domain than ONNX's own. */
  call({ opType, domain }: OperatorName, inputs: readonly Value[], outputs: number, attributes: Attributes = {}): Value[] {
    const names = Array.from({ length: outputs }, () => this.fresh(opType));
    this.append(opType, inputs, attributes, names, domain);
    return names.map((name) => ({ name }));
  }

  protected append(
    opType: string,
    inputs: readonly Value[],
    attributes: Attributes = {},
    output: readonly string[] = [this.fresh(opType)],
    domain = '',
  ): Value {
    this.nodes.push(
      create(NodeProtoSchema, {
        opType,
        domain,
        name: `${opType}_${this.nodes.length}`,
        input: inputs.map((value) => value.name),
        output: [...output],
        attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      }),
    );
    return { name: output[0] };
  }

  /** A name that is unique in the graph. */
  protected fresh(stem: string): string {
    this.names += 1;
    return `${stem}:${this.names}`;
  }

  private tensor(
    type: ElementType,
    dims: readonly number[],
    data: Float32Array | BigInt64Array | Uint8Array,
    name = this.fresh('constant'),
  ): Value {
    // Raw data is little-endian, like every platform of ONNX Runtime's Node package.
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return this.constant(create(TensorProtoSchema, { name, dataType: dataTypes[type], dims: dims.map(BigInt), rawData }));
  }
}

/** An attribute of a node: an integer, several, or a number in float32. */
type Attribute = number | readonly number[] | { readonly float: number };

type Attributes = Readonly<Record<string, Attribute>>;

function attribute(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'number') {
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
  }
  return 'float' in value
    ? create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOAT, f: value.float })
    : create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints: value.map(BigInt) });
}
