import { tileRuleOf, type Range } from '../../core/scenario/scenario';
import { blackBoxLayout } from '../../core/plan/attention-cost';
import { tokenwiseRows } from '../../core/plan/cost';
import { hasHeadParts, instancesOfBlocks, layerParts, type LayerPlan, partsOfLayers, type Plan } from '../../core/plan/plan';
import { type LayerStep, type Segments, wholeRun } from '../../core/plan/segments';
import type { Phase } from '../../core/report/phases';
import { modelPosition, type Positions, wholePrompt } from '../../core/shards/cut';
import type { LoadedModel } from '../read/model/load';
import { BlackBoxAttention } from './black-box/black-box-attention';
import { type PhaseClock, throwIfCancelled } from './runtime/clock';
import { ChosenAttention } from './tiles/chosen-attention';
import { embed } from './tiles/embed';
import { FusedAttention } from './tiles/fused-attention';
import { headwiseAttention } from './tiles/headwise';
import { type AttendedLayer, attendedRoom, type LayerAttention, type LayerTensors, type OnInstances } from './tiles/layer';
import type { Oracle } from './tiles/oracle';
import { HeldRows } from './tiles/held-rows';
import { mergeSinks } from './tiles/states';
import type { OnTileMasses } from './tiles/tile-masses';
import { layerTensors, outputAndMlp, project, type Stretch, stretchesAt } from './tiles/tokenwise';

/**
 * Called with every layer's attention while its tensors are alive, to check it, and with the residual stream before the layer,
 * where that can be read. All have the rows of a step: queries, attention and stream from its first query on, keys and values those
 * that it holds; of a whole run `[N, d]`.
 */
export type InspectLayer = (
  layer: number,
  tensors: LayerTensors,
  attended: AttendedLayer,
  stream: Float32Array | undefined,
  step: LayerStep,
) => Promise<void>;

/** The inputs of a forward pass. */
export interface ForwardPass {
  readonly model: LoadedModel;
  readonly plan: Plan;
  /** Token ids `[N]`. */
  readonly tokens: Int32Array;
  /** Where in a prompt they lie; by default they are the whole prompt of the plan. */
  readonly positions?: Positions | undefined;
  /** How the plan is cut into steps, where it is; those of `segmentsOf`. */
  readonly segments?: Segments | undefined;
  readonly oracle: Oracle;
  readonly clock: PhaseClock;
  readonly signal: AbortSignal;
  /** Called with the finished fraction of the pass, from 0 to 1. */
  readonly onProgress: (fraction: number, phase: Phase, message: string) => void;
  readonly inspect?: InspectLayer | undefined;
  /** One more head, which goes through the same attention. */
  readonly probe?: AttentionProbe | undefined;
  /** Called with what the tiles of each layer, head and query block hold of its weights; tile by tile under `fused` alone. */
  readonly onTileMasses?: ((layer: number, ...masses: Parameters<OnTileMasses>) => void) | undefined;
}

/** A head whose attention is known. Its calls and its time are not the run's. */
export interface AttentionProbe {
  /** The parts of the plan through whose attention it is to run before this layer, which is of these parts. */
  due(layer: number): readonly number[];
  /** One head, with the rows of a step. */
  tensorsOf(step: LayerStep): LayerTensors;
  /** Called with its attention `[1, rows, m]` by a part. */
  inspect(part: number, attended: AttendedLayer, step: LayerStep): void;
}

/** Consecutive rows of the last layer's residual stream `[rows, d]`, before the final norm. */
export interface StreamRows {
  readonly from: number;
  readonly rows: Float32Array;
}

/**
 * Runs the large transformer through calls of the small one.
 *
 * Memory grows as O(N): one residual stream, one layer's queries, keys, values and attention state. Of a run that is cut into segments,
 * it is that of a segment, of the keys and values that later queries see in every layer, and of the stream that is returned.
 * @returns the last layer's residual stream `[N, d]`, before the final norm
 * @throws CancelledError between two calls, once the signal is aborted
 */
export function forward(pass: ForwardPass): Promise<Float32Array> {
  return wholeStream(forwardRows(pass), pass.plan);
}

/** The residual stream `[N, d]` that a pass hands out by rows. */
export async function wholeStream(pass: AsyncIterable<StreamRows>, plan: Plan): Promise<Float32Array> {
  let stream: Float32Array = new Float32Array();
  for await (const part of pass) {
    stream = joinedRows(stream, part, plan);
  }
  return stream;
}

/** Rows of a residual stream, the first ones or with those before them, as `[N, d]`; all of them are taken as they are. */
export function joinedRows(before: Float32Array, { from, rows }: StreamRows, { tokens, model }: Plan): Float32Array {
  if (rows.length === tokens * model.width) {
    return rows;
  }
  const stream = before.length > 0 ? before : new Float32Array(tokens * model.width);
  stream.set(rows, from * model.width);
  return stream;
}

/** The same, which hands out the rows as they are finished, in order. They are overwritten after that. */
export async function* forwardRows(pass: ForwardPass): AsyncGenerator<StreamRows> {
  const { model, plan, clock, probe } = pass;
  const segments = pass.segments ?? wholeRun(plan);
  const { layers, width } = model.shape;
  const parts = layerParts(plan);
  const partsOf = partsOfLayers(plan);
  const total = segments.steps.length * layers;
  const stretch = (from: number, to: number): string => (segments.steps.length === 1 ? '' : `tokens ${from + 1} to ${to}, `);
  let message = '';
  let done = 0;
  let instances = 0;
  let due = 0;
  const report = (phase: Phase, share: number): void => {
    throwIfCancelled(pass.signal);
    pass.onProgress((done + share) / total, phase, message);
  };
  // Layers with the same scenario share one attention and its buffers, and so do heads that have several.
  let shared: AttendedLayer | undefined;
  const roomOf = (part: LayerPlan): AttendedLayer => {
    const ofHeads = (heads: number): AttendedLayer => attendedRoom(heads, segments.queries, plan.model.headWidth);
    return hasHeadParts(plan) ? (shared ??= ofHeads(plan.model.heads)) : ofHeads(part.model.heads);
  };
  const attentions = parts.map((part) =>
    attentionOverKeys(
      part.plan,
      pass.oracle,
      clock,
      (finished) => {
        instances += finished;
        report('attend', due === 0 ? 0.1 : 0.1 + 0.8 * Math.min(1, instances / due));
      },
      roomOf,
    ),
  );
  const ofLayers = partsOf.map((own) => {
    const ofHeads = own.flatMap((part) => {
      const { heads } = parts[part];
      return heads === undefined ? [] : [{ heads, attention: attentions[part] }];
    });
    return withSinks(ofHeads.length === 0 ? attentions[own[0]] : headwiseAttention(ofHeads), clock);
  });

  const positions = pass.positions ?? wholePrompt(plan.tokens, plan.restarts);
  const cut = (part: Range): Iterable<Stretch> =>
    stretchesAt(positions, tokenwiseRows(plan.oracle.inputLength, pass.oracle.mostRows), part);
  const projected = layerTensors(model.shape, segments.queries, segments.keys);
  const held = Array.from({ length: layers }, () => new HeldRows());
  for (const [index, step] of segments.steps.entries()) {
    const { from, to } = step[0].incoming;
    if (segments.steps.length > 1) {
      // Tables are kept by position, and no layer comes back to those of an earlier step.
      pass.oracle.rotateFor(positions.tokens);
    }
    let hidden = embed(model, pass.tokens.subarray(from, to), (row) => modelPosition(positions, from + row));
    for (const [layer, own] of step.entries()) {
      message = `${stretch(from, to)}layer ${layer + 1} of ${layers}`;
      report('project', 0);
      const weights = model.layers[layer];
      const first = held[layer].restore(projected);
      const tensors = {
        ...(await clock.time('project', () => project(pass, hidden, weights, cut(own.incoming), projected, first))),
        layer,
      };
      const stream = held[layer].joinStream(hidden);
      const attendedRows = own.queries.to - own.queries.from;
      hidden = stream.subarray(0, attendedRows * width);
      if (attendedRows > 0) {
        for (const part of probe?.due(layer) ?? []) {
          due = 0;
          const attention = withSinks(attentions[part], clock);
          const ofProbe = await clock.aside('verify', () =>
            pass.oracle.uncounted(() => attention.run((probe as AttentionProbe).tensorsOf(own), own)),
          );
          await clock.time('verify', () => probe?.inspect(part, ofProbe, own));
        }
        instances = 0;
        due = partsOf[layer].reduce((sum, part) => sum + parts[part].plan.model.heads * instancesOfRows(parts[part].plan, own.queries), 0);
        const { onTileMasses } = pass;
        const scale = onTileMasses && { onMasses: (...masses: Parameters<OnTileMasses>) => onTileMasses(layer, ...masses) };
        const attended = await ofLayers[layer].run(tensors, own, undefined, scale);
        await pass.inspect?.(layer, tensors, attended, hidden, own);
        report('mlp', 0.9);
        await clock.time('mlp', () => outputAndMlp(pass, hidden, attended.out, weights, cut(own.queries)));
      }
      if (index + 1 < segments.steps.length) {
        held[layer].keep(projected, stream.subarray(hidden.length), own, segments.steps[index + 1][layer]);
      }
      clock.endLayer(layer);
      done += 1;
    }
    yield { from: step[layers - 1].queries.from, rows: hidden };
  }
  pass.onProgress(1, 'mlp', `layer ${layers} of ${layers}`);
}

/** Single-head instances of the query blocks that rows are, as the plan counts them. */
function instancesOfRows(plan: LayerPlan, { from, to }: Range): number {
  return instancesOfBlocks(plan, from / plan.blockSize, Math.ceil(to / plan.blockSize));
}

/** The attention of layers with one scenario, by construction; learned sinks are merged into it. */
export function layerAttention(plan: LayerPlan, oracle: Oracle, clock: PhaseClock, onInstances: OnInstances): LayerAttention {
  return withSinks(attentionOverKeys(plan, oracle, clock, onInstances), clock);
}

/** The same over keys alone. @param roomOf gives room for the attention of a step */
function attentionOverKeys(
  plan: LayerPlan,
  oracle: Oracle,
  clock: PhaseClock,
  onInstances: OnInstances,
  roomOf?: (plan: LayerPlan) => AttendedLayer,
): LayerAttention {
  const layout = blackBoxLayout(plan);
  const rule = tileRuleOf(plan.scenario);
  if (rule !== undefined) {
    return new ChosenAttention(plan, rule, oracle, clock, onInstances, roomOf?.(plan));
  }
  return layout === undefined
    ? new FusedAttention(plan, oracle, clock, onInstances, roomOf?.(plan))
    : new BlackBoxAttention(plan, layout, oracle, clock, onInstances);
}

/** Attention with learned sinks merged into it. */
function withSinks(overKeys: LayerAttention, clock: PhaseClock): LayerAttention {
  return {
    async run(layer, step, heads, scale) {
      const attended = await overKeys.run(layer, step, heads, scale);
      const { sinks } = layer;
      if (sinks !== undefined) {
        const { out, logNormaliser } = attended;
        clock.timeSync('merge', () => mergeSinks({ rows: logNormaliser.length, width: out.width, out: out.data, logNormaliser }, sinks));
      }
      return attended;
    },
  };
}
