import { sliceColumns, type BlackBoxShape, type Reading } from '../../../core/construct/slice';
import { smallTransformerGraph } from '../graphs/small-transformer';
import type { CallCounter } from '../tiles/oracle';
import { GraphSession, type Operand } from '../runtime/session';
import type { Device } from '../runtime/provider';
import { instanceWeights } from '../../black-box/weights';

/** Which black box is called, and how often. */
export interface BlackBoxBatch {
  readonly causal: boolean;
  readonly reading: Reading;
  /** Whether it repeats calls whose synthetic token underflowed. */
  readonly retry: boolean;
  readonly calls: number;
  /** `[calls, M, H'L', input width]`. */
  readonly tokens: Float32Array;
}

/** A small transformer that shows its final output only. It counts its calls. */
export interface BlackBox {
  readonly shape: BlackBoxShape;
  /** The final output `[calls, M, H'L', output width]`. */
  call(batch: BlackBoxBatch): Promise<Float32Array>;
}

/** The black box on ONNX Runtime. Graphs and weights are made at their first call. */
export class OnnxBlackBox implements BlackBox {
  private readonly loaded = new Map<string, Promise<LoadedTransformer>>();

  /** @param counter counts every call, where it is made */
  constructor(
    readonly shape: BlackBoxShape,
    private readonly device: Device,
    private readonly counter: CallCounter,
  ) {}

  async call({ causal, reading, retry, calls, tokens }: BlackBoxBatch): Promise<Float32Array> {
    const { session, weights } = await this.transformer(causal, reading);
    const { rows, layers, heads } = this.shape;
    this.counter.attention += calls;
    this.counter.retries += retry ? calls : 0;
    this.counter.dispatches += 1;
    const shape = [calls, rows, layers * heads, sliceColumns(this.shape, reading).inputWidth];
    const { out } = await session.run<'out'>({ tokens: { data: tokens, shape }, ...weights });
    return out;
  }

  async release(): Promise<void> {
    for (const transformer of this.loaded.values()) {
      await (await transformer).session.release();
    }
    this.loaded.clear();
  }

  private transformer(causal: boolean, reading: Reading): Promise<LoadedTransformer> {
    const name = `${causal ? 'causal' : 'open'}/${reading}`;
    const present = this.loaded.get(name) ?? this.load(causal, reading);
    this.loaded.set(name, present);
    return present;
  }

  private async load(causal: boolean, reading: Reading): Promise<LoadedTransformer> {
    const { shape, device } = this;
    return {
      session: await GraphSession.create(smallTransformerGraph({ shape, causal, reading }), device),
      weights: instanceWeights(shape, reading),
    };
  }
}

interface LoadedTransformer {
  readonly session: GraphSession;
  readonly weights: Readonly<Record<string, Operand>>;
}
