import { maskOf, visibleRanges, type LayerScenario, type Mask, type Range } from '../../../core/scenario/scenario';
import { layerParts, partOfLayers, type Plan, planOfLength } from '../../../core/plan/plan';
import { wholeRun } from '../../../core/plan/segments';
import type { Fidelity } from '../../../core/report/report';
import { joinFidelity } from '../../../core/shards/report';
import type { Pass } from '../../attend/pass';
import type { LoadedModel } from '../../read/model/load';
import { sameRotation } from '../../read/model/rope';
import type { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import type { OutputHead } from '../../attend/verify/predictions';
import { PhaseClock } from '../../attend/runtime/clock';
import type { SteppedLayer } from '../../attend/tiles/decode-steps';
import { embed } from '../../attend/tiles/embed';
import { type InspectLayer, wholeStream } from '../../attend/forward';
import type { LayerTensors } from '../../attend/tiles/layer';
import type { FidelityCheck } from '../../attend/verify/fidelity';
import { lostRowsOf } from '../../attend/verify/prediction-check';
import type { DecodingCheck } from './decoding-check';
import { LayerCache } from './layer-cache';

/** Runs of the whole sequence, and the tokens read in all of them. */
export interface Reruns {
  readonly times: number;
  readonly tokens: number;
}

/** What a decoder needs. */
interface DecoderContext {
  readonly model: LoadedModel;
  /** Of the prompt. */
  readonly plan: Plan;
  readonly oracle: OnnxOracle;
  readonly head: OutputHead;
  readonly pass: Pass;
  /** Checks runs of whole sequences, each with a check of its own, and the steps between them. */
  readonly checks?: { readonly wholeOf: (plan: Plan, tokens: Int32Array) => FidelityCheck; readonly decoding: DecodingCheck } | undefined;
  readonly signal: AbortSignal;
}

/**
 * Predicts one token after another, with the keys and values of earlier tokens kept as far as the scenario lets a later
 * query see them.
 *
 * For masks that do not look ahead, this is the same as running the whole sequence again at each token. Where one more token
 * changes the rotary embedding, and with it every key, that is what is done.
 */
export class Decoder {
  /** Scenarios of the kinds of layer, and the kind of each layer. */
  private readonly parts: readonly LayerScenario[];
  private readonly partOf: readonly number[];
  private readonly caches: readonly LayerCache[];
  /** Ids that were read, `[length]`. */
  private read: number[] = [];
  private checked = 0;
  private lost = 0;
  private whole: Fidelity | null = null;
  private again: Reruns = { times: 0, tokens: 0 };

  constructor(private readonly context: DecoderContext) {
    const { model, plan } = context;
    this.parts = layerParts(plan).map((part) => part.plan.scenario);
    this.partOf = partOfLayers(plan);
    this.caches = slotsOf(plan, 0).map((slots) => new LayerCache(model.shape, slots));
  }

  /** Keys in the cache of the layer that holds most. */
  get cachedKeys(): number {
    return Math.max(...this.caches.map((cache) => cache.length));
  }

  /** Whole sequences that were run after the prompt, since their length changes the rotary embedding. */
  get reruns(): Reruns {
    return this.again;
  }

  /** What the checks found in all that was run; null where nothing was checked. */
  get fidelity(): Fidelity | null {
    return this.whole && (this.context.checks?.decoding.joinedTo(this.whole) ?? null);
  }

  /** Rows whose last residual stream overflowed, of all that was run. */
  get lostRows(): number {
    return this.lost;
  }

  /** Milliseconds that checks took. */
  get verifyMs(): number {
    return this.checked;
  }

  /**
   * Runs the prompt by its plan.
   *
   * @param tokens ids `[N]`
   * @returns logits `[vocabulary]` of the token after it
   */
  prefill(tokens: Int32Array, onProgress: (fraction: number) => void): Promise<Float32Array> {
    return this.readWhole(tokens, this.context.plan, onProgress);
  }

  /** Runs a sequence with the rotary embedding of its length, and fills the caches with it. */
  private async readWhole(tokens: Int32Array, plan: Plan, onProgress: (fraction: number) => void): Promise<Float32Array> {
    const { model, pass, oracle, signal, head, checks } = this.context;
    const check = checks?.wholeOf(plan, tokens);
    checks?.decoding.beginWhole(tokens);
    oracle.rotateFor(tokens.length);
    this.caches.forEach((cache) => cache.clear());
    const clock = new PhaseClock();
    const inspect: InspectLayer = async (layer, tensors, ...attended) => {
      this.fill(layer, tensors, tokens.length);
      await clock.time('verify', async () => {
        await check?.inspect(layer, tensors, ...attended);
        checks?.decoding.inspectWhole(layer, tensors);
      });
    };
    let hidden: Float32Array;
    try {
      // The caches are filled from the keys and values of all tokens.
      const segments = wholeRun(plan);
      const rows = pass({ model, plan, tokens, segments, oracle, clock, signal, inspect, onProgress, probe: check?.probe });
      hidden = await wholeStream(rows, plan);
    } finally {
      await check?.release();
    }
    check?.inspectStream(hidden);
    this.lost += lostRowsOf(hidden, model.shape.width);
    const found = check?.result() ?? null;
    this.whole = this.whole === null ? found : joinFidelity(this.whole, found);
    this.checked += clock.phases.verify;
    this.read = [...tokens];
    return head.logits(hidden.subarray((tokens.length - 1) * model.shape.width));
  }

  /**
   * Adds a token to the sequence.
   *
   * @param onRerun called with the finished fraction where the whole sequence is run again
   * @returns logits `[vocabulary]` of the one after it
   * @throws CancelledError between two runs
   */
  async step(token: number, onRerun: (fraction: number) => void = () => undefined): Promise<Float32Array> {
    const { model, plan, oracle, head, signal, checks } = this.context;
    const position = this.read.length;
    if (!sameRotation(model.rotary ?? [], model.shape.headWidth, position, position + 1)) {
      this.again = { times: this.again.times + 1, tokens: this.again.tokens + position + 1 };
      return this.readWhole(Int32Array.from([...this.read, token]), planOfLength(plan, position + 1), onRerun);
    }
    checks?.decoding.beginStep(token);
    const hidden = embed(model, Int32Array.of(token), () => position);
    // Layers that mask alike share a mask, which is work to make where it is written.
    const masks = this.parts.map((scenario) => maskOf(scenario, position + 1));
    const seen = this.caches.map((cache, layer) => seenSlots(cache, masks[this.partOf[layer]], position));
    const caches = this.caches.map((cache, layer) => cache.read(seen[layer]));
    const tiles = seen.map((ranges) => Math.ceil(ranges.reduce((sum, { from, to }) => sum + to - from, 0) / plan.oracle.inputLength));
    const { layers, next } = await oracle.decodeStep(
      model.layers,
      { hidden, position, caches, signal },
      {
        instances: tiles.map((count) => count * model.shape.keyValueHeads),
        perCall: plan.oracle.heads * plan.oracle.layers,
        inspected: checks !== undefined,
      },
    );
    this.caches.forEach((cache, layer) => cache.add(oneToken(model, layers[layer]), 0, position));
    if (checks !== undefined) {
      const start = performance.now();
      checks.decoding.inspectStep(layers, next);
      this.checked += performance.now() - start;
    }
    this.lost += lostRowsOf(next, model.shape.width);
    this.read.push(token);
    return head.logits(next);
  }

  /** Takes the keys of the prompt that a later token may see. */
  private fill(layer: number, tensors: LayerTensors, tokens: number): void {
    for (const { from, to } of keptKeys(this.parts[this.partOf[layer]], tokens)) {
      for (let position = from; position < to; position += 1) {
        this.caches[layer].add(tensors, position, position);
      }
    }
  }
}

/** Bytes of the caches of a plan's layers. @param tokens that are ever added to the prompt */
export function cacheBytes(plan: Plan, tokens: number): number {
  return slotsOf(plan, tokens).reduce((total, slots) => total + LayerCache.bytes(plan.model, slots), 0);
}

/** Keys that each layer's cache holds at most: what the last token of the prompt, or of the whole sequence, sees. */
function slotsOf(plan: Plan, tokens: number): number[] {
  const slots = (scenario: LayerScenario, length: number): number =>
    keptKeys(scenario, length).reduce((sum, { from, to }) => sum + to - from, 0);
  const ofParts = layerParts(plan).map(({ plan: { scenario } }) =>
    Math.max(slots(scenario, plan.tokens), slots(scenario, plan.tokens + tokens)),
  );
  return partOfLayers(plan).map((part) => ofParts[part]);
}

/** Keys of a sequence that its last token sees, and so all that later ones see; all of them where the mask may be of any form. */
function keptKeys(scenario: LayerScenario, tokens: number): readonly Range[] {
  const mask = maskOf(scenario, tokens);
  return 'visible' in mask ? visibleRanges(mask, tokens - 1) : [{ from: 0, to: tokens }];
}

/** Slots of a cache that the newest token sees, its own behind those in use; what no later token sees is given up. */
function seenSlots(cache: LayerCache, mask: Mask, position: number): readonly Range[] {
  if ('visible' in mask) {
    cache.keep(mask.visible(position));
    return [{ from: 0, to: cache.length + 1 }];
  }
  // Nothing is given up under a mask of any form, so slots are positions.
  return mask.ranges(position);
}

function oneToken({ shape: { keyValueHeads, headWidth } }: LoadedModel, { key, value }: SteppedLayer): Pick<LayerTensors, 'key' | 'value'> {
  const tensor = (data: Float32Array): LayerTensors['key'] => ({ heads: keyValueHeads, tokens: 1, width: headWidth, data });
  return { key: tensor(key), value: tensor(value) };
}
