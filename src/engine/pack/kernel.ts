import { packedAttentionGraph } from '../attend/graphs/dense';
import type { HeadTensor } from '../run/head-tensor';
import type { LayerTensors } from '../attend/tiles/layer';
import { GraphSession } from '../attend/runtime/session';
import type { Device } from '../attend/runtime/provider';

/** Attends a whole layer in one call, all heads in it, and takes no mask. */
export interface AttentionKernel {
  attend(operands: LayerTensors): Promise<HeadTensor>;
}

/** The kernel on ONNX Runtime; it counts its calls. */
export class OnnxKernel implements AttentionKernel {
  private readonly sessions = new Map<number | undefined, Promise<GraphSession>>();
  private made = 0;

  /** @param causal whether the kernel's causal flag is set: a graph for each length then, one for all otherwise */
  constructor(
    private readonly device: Device,
    private readonly causal: boolean,
  ) {}

  /** Calls made so far. */
  get calls(): number {
    return this.made;
  }

  /** Loads the graphs for these lengths, so that no run waits for them. */
  async prepare(lengths: readonly number[]): Promise<void> {
    for (const tokens of lengths) {
      await this.session(tokens);
    }
  }

  async attend({ query, key, value }: LayerTensors): Promise<HeadTensor> {
    const session = await this.session(query.tokens);
    this.made += 1;
    // Consecutive query heads share a key head, so the heads of a group lie together already.
    const grouped = [key.heads, query.heads / key.heads, query.tokens, query.width];
    const shared = [key.heads, 1, query.tokens, query.width];
    const { out } = await session.run<'out'>({
      query: { data: query.data, shape: grouped },
      key: { data: key.data, shape: shared },
      value: { data: value.data, shape: shared },
    });
    return { heads: query.heads, tokens: query.tokens, width: query.width, data: out };
  }

  async release(): Promise<void> {
    for (const session of this.sessions.values()) {
      await (await session).release();
    }
    this.sessions.clear();
  }

  private session(tokens: number): Promise<GraphSession> {
    const length = this.causal ? tokens : undefined;
    const loaded = this.sessions.get(length) ?? GraphSession.create(packedAttentionGraph(length), this.device);
    this.sessions.set(length, loaded);
    return loaded;
  }
}
