import { maskOf, type LayerScenario, type Mask } from '../../core/masks';
import { layerParts, partOfLayers } from '../../core/plan/parts';
import type { Plan } from '../../core/plan/plan';
import type { Pass } from '../compiled/pass';
import type { LoadedModel } from '../model/load';
import type { OnnxOracle } from '../oracle/onnx-oracle';
import type { OutputHead } from '../oracle/output-head';
import { throwIfCancelled } from '../run/cancel';
import { PhaseClock } from '../run/clock';
import { embed } from '../run/embed';
import type { LayerTensors } from '../run/layer';
import { attendCached } from './cached-attention';
import { LayerCache } from './layer-cache';

/** What a decoder needs. */
export interface DecoderContext {
  readonly model: LoadedModel;
  /** Of the prompt. */
  readonly plan: Plan;
  /** Made for the whole sequence: rotary embeddings may depend on its length. */
  readonly oracle: OnnxOracle;
  readonly head: OutputHead;
  readonly pass: Pass;
  readonly signal: AbortSignal;
}

/**
 * Predicts one token after another, with the keys and values of earlier tokens kept as far as the scenario lets a later
 * query see them.
 *
 * For masks that do not look ahead, this is the same as running the whole sequence again at each token.
 */
export class Decoder {
  private readonly scenarios: readonly LayerScenario[];
  private readonly caches: readonly LayerCache[];
  private length = 0;

  /** @param tokens that are ever added to the prompt */
  constructor(
    private readonly context: DecoderContext,
    tokens: number,
  ) {
    const { model, plan } = context;
    this.scenarios = layerScenarios(plan);
    this.caches = slotsOf(plan, tokens).map((slots) => new LayerCache(model.shape, slots, tileRows(plan, slots)));
  }

  /** Keys in the cache of the layer that holds most. */
  get cachedKeys(): number {
    return Math.max(...this.caches.map((cache) => cache.length));
  }

  /**
   * Runs the prompt by its plan.
   *
   * @param tokens ids `[N]`
   * @returns logits `[vocabulary]` of the token after it
   */
  async prefill(tokens: Int32Array, onProgress: (fraction: number) => void): Promise<Float32Array> {
    const { model, plan, pass, oracle, signal, head } = this.context;
    const inspect = (layer: number, tensors: LayerTensors): Promise<void> => {
      this.fill(layer, tensors, tokens.length);
      return Promise.resolve();
    };
    const hidden = await pass({ model, plan, tokens, oracle, clock: new PhaseClock(), signal, inspect, onProgress });
    this.length = tokens.length;
    return head.logits(hidden.subarray((tokens.length - 1) * model.shape.width));
  }

  /** Adds a token to the sequence. @returns logits `[vocabulary]` of the one after it @throws CancelledError between two layers */
  async step(token: number): Promise<Float32Array> {
    const { model, plan, oracle, head, signal } = this.context;
    const position = this.length;
    let hidden = embed(model, Int32Array.of(token), () => position);
    for (const [layer, weights] of model.layers.entries()) {
      throwIfCancelled(signal);
      const { query, key, value } = await oracle.project(hidden, weights, position);
      const cache = this.caches[layer];
      cache.keep(this.maskAt(layer, position).visible(position));
      cache.add(oneToken(model, key, value), 0, position);
      const attended = await attendCached(oracle, cache, query, model.shape.headWidth);
      oracle.closeRound(plan.oracle.heads * plan.oracle.layers);
      hidden = await oracle.outputAndMlp(hidden, attended, weights);
    }
    this.length += 1;
    return head.logits(hidden);
  }

  /** The mask of a layer, for a sequence that ends with a position. */
  private maskAt(layer: number, position: number): Mask {
    return maskOf(this.scenarios[layer], position + 1);
  }

  /** Takes the keys of the prompt that its last token sees: later ones see no others of them. */
  private fill(layer: number, tensors: LayerTensors, tokens: number): void {
    const { prefixEnd, start, end } = this.maskAt(layer, tokens - 1).visible(tokens - 1);
    for (let position = 0; position < end; position += 1) {
      if (position < prefixEnd || position >= start) {
        this.caches[layer].add(tensors, position, position);
      }
    }
  }
}

/** Bytes of the caches of a plan's layers. @param tokens that are ever added to the prompt */
export function cacheBytes(plan: Plan, tokens: number): number {
  return slotsOf(plan, tokens).reduce((total, slots) => total + LayerCache.bytes(plan.model, slots, tileRows(plan, slots)), 0);
}

/** The scenario of each layer. */
function layerScenarios(plan: Plan): LayerScenario[] {
  const parts = layerParts(plan);
  return partOfLayers(plan).map((part) => parts[part].plan.scenario);
}

/** Keys that each layer's cache holds at most: what the last token of the prompt, or of the whole sequence, sees. */
function slotsOf(plan: Plan, tokens: number): number[] {
  return layerScenarios(plan).map((scenario) => Math.max(visibleKeys(scenario, plan.tokens), visibleKeys(scenario, plan.tokens + tokens)));
}

function visibleKeys(scenario: LayerScenario, tokens: number): number {
  const { prefixEnd, start, end } = maskOf(scenario, tokens).visible(tokens - 1);
  return prefixEnd + end - start;
}

/** M, or fewer where no tile has so many keys. */
function tileRows({ oracle }: Plan, slots: number): number {
  return Math.min(oracle.inputLength, slots);
}

function oneToken({ shape: { keyValueHeads, headWidth } }: LoadedModel, key: Float32Array, value: Float32Array): Pick<LayerTensors, 'key' | 'value'> {
  const tensor = (data: Float32Array): LayerTensors['key'] => ({ heads: keyValueHeads, tokens: 1, width: headWidth, data });
  return { key: tensor(key), value: tensor(value) };
}
