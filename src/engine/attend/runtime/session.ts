import { InferenceSession, Tensor } from 'onnxruntime-node';
import { sessionOptions, type Device } from './provider';

/** A tensor on its way in or out: row-major data and its shape. */
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

  /** Runs the graph; every output is float32. The call blocks its thread until it is done. */
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
