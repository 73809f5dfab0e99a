import { InferenceSession, Tensor } from '../../onnxruntime';
import type { Weight, Weights } from '../../read/model/weights';
import { type Device, sessionOptions } from './provider';

/** A tensor as input or output: row-major data and its shape. */
export interface Operand {
  readonly data: Float32Array | BigInt64Array;
  readonly shape: readonly number[];
}

/** A graph loaded into ONNX Runtime on one device. */
export class GraphSession {
  private constructor(private readonly session: InferenceSession) {}

  /** Loads a graph. @param model bytes of an ONNX model */
  static async create(model: Uint8Array, device: Device): Promise<GraphSession> {
    return new GraphSession(await InferenceSession.create(model, sessionOptions(device)));
  }

  /** Runs the graph; every output is float32. The call blocks its thread until it finishes. */
  async run<Name extends string>(inputs: Readonly<Record<string, Operand>>): Promise<Record<Name, Float32Array>> {
    const feeds = Object.fromEntries(Object.entries(inputs).map(([name, operand]) => [name, toTensor(operand)]));
    const results = await this.session.run(feeds);
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array])) as Record<
      Name,
      Float32Array
    >;
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}

function toTensor({ data, shape }: Operand): Tensor {
  return data instanceof Float32Array ? new Tensor('float32', data, shape) : new Tensor('int64', data, shape);
}

/** Sessions of one device by name, each created at first use. */
export class SessionPool {
  private readonly sessions = new Map<string, Promise<GraphSession>>();

  constructor(private readonly device: Device) {}

  /** The session with a name. @param graph builds its graph, as bytes of an ONNX model */
  get(name: string, graph: () => Uint8Array): Promise<GraphSession> {
    let session = this.sessions.get(name);
    if (session === undefined) {
      session = GraphSession.create(graph(), this.device);
      this.sessions.set(name, session);
    }
    return session;
  }

  async release(): Promise<void> {
    await Promise.all([...this.sessions.values()].map(async (session) => (await session).release()));
    this.sessions.clear();
  }
}

/** Weights as operands of a run, by name. */
export function weightOperands<Name extends string>(weights: Weights<Name>): Readonly<Record<string, Operand>> {
  return weights as Readonly<Record<string, Weight>>;
}
