import type { BlackBoxShape, Reading } from '../../../core/construct/slice';
import { partWidths, type SlicePart, sliceParts, smallTransformerGraph } from '../graphs/small-transformer';
import type { Device } from '../runtime/provider';
import { GraphSession, type Operand } from '../runtime/session';

/** Tokens of calls, part by part of their slices: each `[calls, H'L', M, width]`. */
export type SliceTensors = Readonly<Record<SlicePart, Float32Array>>;

/** A batch of black-box calls. */
export interface BlackBoxBatch {
  readonly causal: boolean;
  readonly reading: Reading;
  /** Whether these are repeated calls whose synthetic token underflowed. */
  readonly retry: boolean;
  readonly calls: number;
  readonly tokens: SliceTensors;
}

/** The final output of a batch: what its reading has. */
export interface BlackBoxOutput {
  /** `[calls, H'L', M, m]`: mean values, or mean keys. */
  readonly mean?: Float32Array;
  /** `[calls, H'L', M]`, natural logarithm. */
  readonly logNormaliser?: Float32Array;
}

/** A small transformer that shows its final output only and counts its calls. */
export interface BlackBox {
  readonly shape: BlackBoxShape;
  call(batch: BlackBoxBatch): Promise<BlackBoxOutput>;
}

/** The black box on ONNX Runtime. Graphs are created at the first call. */
export class OnnxBlackBox implements BlackBox {
  private readonly loaded = new Map<string, Promise<GraphSession>>();

  /** @param counter counts every call as it is made */
  constructor(
    readonly shape: BlackBoxShape,
    private readonly device: Device,
    private readonly counter: CallCounter,
  ) {}

  async call({ causal, reading, retry, calls, tokens }: BlackBoxBatch): Promise<BlackBoxOutput> {
    const session = await this.session(causal, reading);
    const { rows, layers, heads } = this.shape;
    const widths = partWidths(this.shape);
    this.counter.attention += calls;
    this.counter.retries += retry ? calls : 0;
    this.counter.dispatches += 1;
    const operands = sliceParts.map((part): [SlicePart, Operand] => [
      part,
      { data: tokens[part], shape: [calls, layers * heads, rows, widths[part]] },
    ]);
    return session.run<'mean' | 'logNormaliser'>(Object.fromEntries(operands));
  }

  async release(): Promise<void> {
    await Promise.all([...this.loaded.values()].map(async (session) => (await session).release()));
    this.loaded.clear();
  }

  private session(causal: boolean, reading: Reading): Promise<GraphSession> {
    const name = `${causal ? 'causal' : 'open'}/${reading}`;
    let session = this.loaded.get(name);
    if (session === undefined) {
      // Few large intermediates: a block for them would take as much again, and save nothing.
      session = GraphSession.create(smallTransformerGraph({ shape: this.shape, causal, reading }), this.device, false);
      this.loaded.set(name, session);
    }
    return session;
  }
}

/** Calls made so far. */
export interface CallCounter {
  attention: number;
  tokenwise: number;
  /** Repeated attention calls among them: a synthetic token underflowed, or a sum overflowed. */
  retries: number;
  /** Native `run()` calls that carried them. */
  dispatches: number;
}
