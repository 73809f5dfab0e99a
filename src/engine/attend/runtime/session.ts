import { InferenceSession, Tensor } from '../../onnxruntime';
import type { Graph } from '../onnx/graph-builder';
import { shapesOf, type Weight, type Weights } from '../../read/model/weights';
import { areFastAsInputs, codedOperands, type GivenWeights, hasWideCodes, usesCodes } from '../graphs/linear';
import { type Device, sessionOptions } from './provider';

/** A tensor as input or output: row-major data and its shape. */
export interface Operand {
  readonly data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;
  readonly shape: readonly number[];
}

/** An operand in float32. */
export type FloatOperand = Operand & { readonly data: Float32Array };

/** A graph loaded into ONNX Runtime on one device. */
export class GraphSession {
  private constructor(private readonly session: InferenceSession) {}

  /**
   * Loads a graph.
   *
   * @param graph bytes of an ONNX model, perhaps with constants apart
   * @param planned whether from its second run on, a shape's intermediates are one block, which is faster where there are many of
   *   them, and comes beside the memory of the first run
   */
  static async create(graph: Uint8Array | Graph, device: Device, planned = true): Promise<GraphSession> {
    const { model, beside } = graph instanceof Uint8Array ? { model: graph, beside: [] } : graph;
    const options = {
      ...sessionOptions(device, beside.length > 0),
      ...(!planned && { enableMemPattern: false }),
      ...(beside.length > 0 && { externalData: beside }),
    };
    return new GraphSession(await InferenceSession.create(model, options));
  }

  /**
   * Runs the graph; every output is float32, unless the graph says otherwise. The call blocks its thread until it finishes.
   *
   * @param into where the outputs go, all of them: in new arrays by default, whose first touch may take longer than the product
   */
  async run<Name extends string, Data extends Float32Array | Float64Array = Float32Array>(
    inputs: Readonly<Record<string, Operand>>,
    into?: Readonly<Record<Name, Operand>>,
  ): Promise<Record<Name, Data>> {
    const results = await (into === undefined ? this.session.run(toTensors(inputs)) : this.session.run(toTensors(inputs), toTensors(into)));
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Data])) as Record<Name, Data>;
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}

/**
 * Runs an ONNX file from where it is on the CPU, with the constants beside it, as any user of ONNX Runtime would.
 *
 * @returns every output, by name
 */
export async function runFile(path: string, inputs: Readonly<Record<string, Operand>>): Promise<Readonly<Record<string, Operand>>> {
  const session = await InferenceSession.create(path);
  try {
    const results = await session.run(toTensors(inputs));
    return Object.fromEntries(Object.entries(results).map(([name, { data, dims }]) => [name, { data: data as Float32Array, shape: dims }]));
  } finally {
    await session.release();
  }
}

function toTensors(operands: Readonly<Record<string, Operand>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(operands).map(([name, operand]) => [name, toTensor(operand)]));
}

function toTensor({ data, shape }: Operand): Tensor {
  if (data instanceof Float32Array) {
    return new Tensor('float32', data, shape);
  }
  if (data instanceof Uint8Array) {
    return new Tensor('uint8', data, shape);
  }
  if (data instanceof Float64Array) {
    return new Tensor('float64', data, shape);
  }
  return data instanceof Int32Array ? new Tensor('int32', data, shape) : new Tensor('int64', data, shape);
}

/** Sessions of one device by name, each created at first use. */
export class SessionPool {
  private readonly sessions = new Map<string, Promise<GraphSession>>();
  /** Numbers of the weights that are inside some of them. */
  private readonly inside = new WeakMap<object, number>();
  private numbers = 0;
  /** Weights that were read from files: the latest of each graph, and those that are kept. */
  private readonly latest = new Map<string, { readonly of: object; readonly operands: Readonly<Record<string, FloatOperand>> }>();
  private readonly kept = new Map<object, Readonly<Record<string, FloatOperand>>>();
  private keepsWeights = false;
  /** Packed weights that are operands. */
  private readonly codes = new Map<object, Readonly<Record<string, Operand>>>();

  constructor(private readonly device: Device) {}

  /** The session with a name. @param graph builds its graph */
  get(name: string, graph: () => Uint8Array | Graph): Promise<GraphSession> {
    let session = this.sessions.get(name);
    if (session === undefined) {
      session = GraphSession.create(graph(), this.device);
      this.sessions.set(name, session);
    }
    return session;
  }

  /**
   * The session of a graph that reads weights, and what to pass to it of them: those in float32 are operands, so that all layers with
   * the same weights share a session, and so are packed ones that are not large beside many rows in float32; else they are inside, in a
   * session of their own.
   *
   * @param graph builds its graph
   */
  async withWeights<Name extends string>(
    name: string,
    weights: Weights<Name>,
    rows: number,
    graph: (given: GivenWeights<Name>) => Graph,
  ): Promise<{ readonly session: GraphSession; readonly operands: Readonly<Record<string, Operand>> }> {
    if (!usesCodes(weights, this.device)) {
      const session = await this.get(`${name} ${Object.keys(weights).join()}`, () => graph({ inputs: shapesOf(weights) }));
      return { session, operands: this.operandsOf(name, weights) };
    }
    const { activations = 'float32' } = this.device;
    let number = this.inside.get(weights);
    if (activations === 'float32' && rows > 1 && areFastAsInputs(weights)) {
      await this.drop(`${name} ${number} true`);
      const operands = this.codes.get(weights) ?? codedOperands(weights);
      this.codes.set(weights, operands);
      const bits = Object.values(weights as Readonly<Record<string, Weight>>).map(({ codeBits }) => codeBits);
      const shapes = Object.entries(operands).map(([place, { shape }]) => `${place} ${shape.join('x')}`);
      return { session: await this.get([name, bits, shapes].join(), () => graph({ inCodes: weights })), operands };
    }
    this.codes.delete(weights);
    if (number === undefined) {
      number = this.numbers;
      this.numbers += 1;
      this.inside.set(weights, number);
    }
    const oneRow = rows === 1 && activations === 'float32' && hasWideCodes(weights);
    const [own, other] = [oneRow, !oneRow].map((one) => `${name} ${number} ${one}`);
    // A continuation goes from many rows to one and stays there: weights are not kept for both.
    await this.drop(other);
    return { session: await this.get(own, () => graph({ constants: weights, activations, oneRow })), operands: {} };
  }

  /** Keeps all weights that are read from files from now on: a layer's turn comes again at once, where tokens are read one by one. */
  keepWeights(): void {
    this.keepsWeights = true;
  }

  /** Weights in float32. Those that are in files are read, into the memory of those that the same graph had before. */
  private operandsOf<Name extends string>(name: string, weights: Weights<Name>): Readonly<Record<string, Operand>> {
    const all = weights as Readonly<Record<string, Weight>>;
    if (!Object.values(all).some((weight) => weight.readData !== undefined)) {
      return all;
    }
    const known = this.kept.get(weights) ?? [...this.latest.values()].find(({ of }) => of === weights)?.operands;
    if (known !== undefined) {
      return known;
    }
    const before = this.keepsWeights ? undefined : this.latest.get(name)?.operands;
    const read = Object.entries(all).map(([key, weight]): [string, { shape: readonly number[]; data: Float32Array }] => {
      return [key, { shape: weight.shape, data: weight.readData?.(before?.[key].data) ?? weight.data }];
    });
    const operands = Object.fromEntries(read);
    if (this.keepsWeights) {
      this.kept.set(weights, operands);
    } else {
      this.latest.set(name, { of: weights, operands });
    }
    return operands;
  }

  private async drop(name: string): Promise<void> {
    const session = this.sessions.get(name);
    this.sessions.delete(name);
    await (await session)?.release();
  }

  async release(): Promise<void> {
    await Promise.all([...this.sessions.values()].map(async (session) => (await session).release()));
    this.sessions.clear();
    this.latest.clear();
    this.kept.clear();
    this.codes.clear();
  }
}
