import { type LayerPlan, planLayers } from '../../src/core/plan/plan';
import type { Phases } from '../../src/core/report/phases';
import type { LayerScenario } from '../../src/core/scenario/scenario';
import type { ModelShape } from '../../src/core/shapes';
import { PhaseClock } from '../../src/engine/attend/runtime/clock';
import type { Device } from '../../src/engine/attend/runtime/provider';
import { FusedAttention } from '../../src/engine/attend/tiles/fused-attention';
import type { LayerTensors } from '../../src/engine/attend/tiles/layer';
import { OnnxOracle } from '../../src/engine/attend/tiles/onnx-oracle';
import { plainLlama } from '../../src/engine/read/model/architectures/llama';

/** Our attention of one layer on data of its own, with the time of its phases. */
export class OurAttention {
  /** Milliseconds of gather, run and merge of each run. */
  readonly phases: Pick<Phases, 'gather' | 'attend' | 'merge'>[] = [];

  private constructor(
    readonly plan: LayerPlan,
    private readonly oracle: OnnxOracle,
    private readonly attention: FusedAttention,
    private readonly clock: PhaseClock,
    private readonly layer: LayerTensors,
  ) {}

  /** @param data queries, keys and values, `[H, N, m]` each */
  static create(
    scenario: LayerScenario,
    blockSize: number,
    scoreBytes: number | undefined,
    heads: number,
    headWidth: number,
    data: readonly [Float32Array, Float32Array, Float32Array],
    device: Device,
  ): OurAttention {
    const tokens = data[0].length / (heads * headWidth);
    const shape: ModelShape = {
      layers: 1,
      heads,
      keyValueHeads: heads,
      headWidth,
      width: heads * headWidth,
      feedForwardWidth: 32,
      vocabulary: 2,
    };
    const plan = planLayers({
      tokens,
      model: shape,
      scenario,
      construction: 'fused',
      oracle: { inputLength: blockSize, layers: 1, heads, causal: false },
      scoreBytes,
    });
    const oracle = new OnnxOracle(plainLlama(shape), blockSize, device);
    const clock = new PhaseClock();
    const [query, key, value] = data.map((part) => ({ heads, tokens, width: headWidth, data: part }));
    return new OurAttention(plan, oracle, new FusedAttention(plan, oracle, clock, () => undefined), clock, { query, key, value });
  }

  /** Attends once. */
  async run(): Promise<void> {
    const before = this.clock.phases;
    await this.attention.run(this.layer);
    const { gather, attend, merge } = this.clock.phases;
    this.phases.push({ gather: gather - before.gather, attend: attend - before.attend, merge: merge - before.merge });
  }

  async release(): Promise<void> {
    await this.oracle.release();
  }
}

/** Uniform numbers from -1 to 1. */
export function uniformData(length: number): Float32Array {
  const data = new Float32Array(length);
  let state = 1;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    data[index] = state / 2 ** 31 - 1;
  }
  return data;
}
