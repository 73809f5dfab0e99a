import { InferenceSession, Tensor } from '../../src/engine/onnxruntime';
import { GraphBuilder } from '../../src/engine/attend/onnx/graph-builder';
import { type Device, sessionOptions } from '../../src/engine/attend/runtime/provider';
import type { Operand } from '../../src/engine/attend/runtime/session';

/** The only provider whose tensors can stay on the device between runs. */
export function canReside({ provider }: Device): boolean {
  return provider === 'webgpu';
}

/** A tensor in device memory. It lives as long as the session that made it. */
export interface Resident {
  readonly tensor: Tensor;
  release(): Promise<void>;
}

/** Copies float32 numbers to the device. */
export async function putOnDevice(device: Device, { data, shape }: Operand): Promise<Resident> {
  const g = new GraphBuilder('put');
  g.output('there', g.input('here', shape), shape);
  const session = await InferenceSession.create(g.build(), { ...sessionOptions(device), preferredOutputLocation: { there: 'gpu-buffer' } });
  const { there } = await session.run({ here: new Tensor('float32', data as Float32Array, shape) });
  return {
    tensor: there,
    release: async () => {
      there.dispose();
      await session.release();
    },
  };
}

/** Waits for a device: a run whose results stay there returns before they are computed, one that reads a number of them does not. */
export class Corner {
  private constructor(private readonly session: InferenceSession) {}

  /** @param shape of the tensors of which a number is read */
  static async create(device: Device, shape: readonly number[]): Promise<Corner> {
    const g = new GraphBuilder('corner');
    const corner = shape.reduce((value, _, axis) => g.slice(value, axis, 0, 1), g.input('whole', shape));
    g.output(
      'corner',
      corner,
      shape.map(() => 1),
    );
    return new Corner(await InferenceSession.create(g.build(), sessionOptions(device)));
  }

  /** The first number of a tensor, once it is computed. */
  async read(whole: Tensor): Promise<number> {
    const { corner } = await this.session.run({ whole });
    return (corner.data as Float32Array)[0];
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}
