import { blackBoxLayout } from '../../core/plan/attention-cost';
import { tokenwiseRows } from '../../core/plan/cost';
import { layerParts, type LayerPlan, partOfLayers, type Plan } from '../../core/plan/plan';
import type { Phase } from '../../core/report/phases';
import { type Positions, positionOf, wholePrompt } from '../../core/shards/cut';
import type { LoadedModel } from '../read/model/load';
import { BlackBoxAttention } from './black-box/black-box-attention';
import { type PhaseClock, throwIfCancelled } from './runtime/clock';
import { embed } from './tiles/embed';
import { FusedAttention } from './tiles/fused-attention';
import type { AttendedLayer, LayerAttention, LayerTensors, OnInstances } from './tiles/layer';
import type { Oracle } from './tiles/oracle';
import { mergeSinks } from './tiles/states';
import { layerTensors, outputAndMlp, project, type Stretch, stretchesAt } from './tiles/tokenwise';

/** Called with every layer's attention while its tensors are alive, to check it. */
type InspectLayer = (layer: number, tensors: LayerTensors, attended: AttendedLayer) => Promise<void>;

/** The inputs of a forward pass. */
export interface ForwardPass {
  readonly model: LoadedModel;
  readonly plan: Plan;
  /** Token ids `[N]`. */
  readonly tokens: Int32Array;
  /** Where in a prompt they lie; a whole prompt by default. */
  readonly positions?: Positions | undefined;
  readonly oracle: Oracle;
  readonly clock: PhaseClock;
  readonly signal: AbortSignal;
  /** Called with the finished fraction of the pass, from 0 to 1. */
  readonly onProgress: (fraction: number, phase: Phase, message: string) => void;
  readonly inspect?: InspectLayer | undefined;
}

/**
 * Runs the large transformer through calls of the small one.
 *
 * Memory grows as O(N): one residual stream, one layer's queries, keys, values and attention state.
 * @returns the last layer's residual stream `[N, d]`, before the final norm
 * @throws CancelledError between two calls, once the signal is aborted
 */
export async function forward(pass: ForwardPass): Promise<Float32Array> {
  const { model, plan, clock } = pass;
  const { layers } = model.shape;
  const parts = layerParts(plan);
  const partOf = partOfLayers(plan);
  let layer = 0;
  let instances = 0;
  const report = (phase: Phase, share: number): void => {
    throwIfCancelled(pass.signal);
    pass.onProgress((layer + share) / layers, phase, `layer ${layer + 1} of ${layers}`);
  };
  // Layers with the same scenario share one attention and its buffers.
  const attentions = parts.map((part) =>
    layerAttention(part.plan, pass.oracle, clock, (finished) => {
      instances += finished;
      report('attend', 0.1 + (0.8 * instances) / (part.plan.instances * model.shape.heads));
    }),
  );

  const positions = pass.positions ?? wholePrompt(plan.tokens);
  const cut = (): Iterable<Stretch> => stretchesAt(positions, tokenwiseRows(plan.oracle.inputLength));
  const hidden = embed(model, pass.tokens, (row) => positionOf(positions, row));
  const projected = layerTensors(model.shape, plan.tokens);
  for (; layer < layers; layer += 1) {
    instances = 0;
    report('project', 0);
    const weights = model.layers[layer];
    const tensors = await clock.time('project', () => project(pass, hidden, weights, cut(), projected));
    const attended = await attentions[partOf[layer]].run(tensors);
    await pass.inspect?.(layer, tensors, attended);
    report('mlp', 0.9);
    await clock.time('mlp', () => outputAndMlp(pass, hidden, attended.out, weights, cut()));
    clock.endLayer();
  }
  pass.onProgress(1, 'mlp', `layer ${layers} of ${layers}`);
  return hidden;
}

/** The attention of layers with one scenario, by construction; learned sinks are merged into it. */
export function layerAttention(plan: LayerPlan, oracle: Oracle, clock: PhaseClock, onInstances: OnInstances): LayerAttention {
  const layout = blackBoxLayout(plan);
  const overKeys =
    layout === undefined
      ? new FusedAttention(plan, oracle, clock, onInstances)
      : new BlackBoxAttention(plan, layout, oracle, clock, onInstances);
  return {
    async run(layer) {
      const attended = await overKeys.run(layer);
      const { sinks } = layer;
      if (sinks !== undefined) {
        const { out, logNormaliser } = attended;
        clock.timeSync('merge', () => mergeSinks({ rows: logNormaliser.length, width: out.width, out: out.data, logNormaliser }, sinks));
      }
      return attended;
    },
  };
}
