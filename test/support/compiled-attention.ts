import type { Precision } from '../../src/core/options/options';
import type { LayerPlan } from '../../src/core/plan/plan';
import type { CallCounter } from '../../src/engine/attend/black-box/black-box';
import { compiledFunctions } from '../../src/engine/attend/compiled/functions';
import { attentionGraph } from '../../src/engine/attend/compiled/graphs';
import type { PhaseClock } from '../../src/engine/attend/runtime/clock';
import type { Device } from '../../src/engine/attend/runtime/provider';
import { GraphSession, type Operand } from '../../src/engine/attend/runtime/session';
import type { AttendedLayer, HeadTensor, LayerAttention, LayerTensors, OnInstances } from '../../src/engine/attend/tiles/layer';

/** The `fused` construction as one graph a layer: nothing leaves the device between tiles. */
export class CompiledAttention implements LayerAttention {
  private constructor(
    private readonly plan: LayerPlan,
    private readonly session: GraphSession,
    private readonly instances: number,
    private readonly calls: CallCounter,
    private readonly clock: PhaseClock,
    private readonly onInstances: OnInstances,
  ) {}

  /** Builds and loads the graph of a plan. */
  static async create(
    plan: LayerPlan,
    device: Device,
    calls: CallCounter,
    clock: PhaseClock,
    onInstances: OnInstances,
    precision: Precision = 'float32',
  ): Promise<CompiledAttention> {
    const { graph, instances } = attentionGraph(plan);
    const session = await GraphSession.create(graph.build({ functions: compiledFunctions[precision] }), device);
    return new CompiledAttention(plan, session, instances, calls, clock, onInstances);
  }

  async run({ query, key, value }: LayerTensors): Promise<AttendedLayer> {
    const { heads, tokens, width } = query;
    const operand = ({ heads: count, data }: HeadTensor): Operand => ({ data, shape: [count, tokens, width] });
    const result = await this.clock.time('attend', () =>
      this.session.run<'out' | 'logNormaliser'>({ query: operand(query), key: operand(key), value: operand(value) }),
    );
    this.calls.attention += Math.ceil(this.instances / (this.plan.oracle.heads * this.plan.oracle.layers));
    this.calls.dispatches += 1;
    this.onInstances(this.instances);
    return { out: { heads, tokens, width, data: result.out }, logNormaliser: Float64Array.from(result.logNormaliser), rounds: 1 };
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}
