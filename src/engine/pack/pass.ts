import type { LayerWeights, LoadedModel } from '../model/load';
import type { Oracle } from '../oracle/oracle';
import type { PhaseClock } from '../run/clock';
import { embed, throwIfCancelled } from '../run/forward';
import { headTensor, readRows, writeRows, type HeadTensor } from '../run/head-tensor';
import type { LayerTensors } from '../run/layer';
import type { AttentionKernel } from './kernel';
import type { PackLayout } from './layout';
import { attendPacked, type PackedLayer } from './packed-attention';

/** Tokens that one token-wise dispatch takes at most, so that its intermediates stay bounded. */
const tokenwiseRows = 2048;

/** What a forward pass over a packed sequence needs. */
export interface PackPass {
  readonly model: LoadedModel;
  readonly oracle: Pick<Oracle, 'project' | 'outputAndMlp'>;
  readonly kernel: AttentionKernel;
  readonly clock: PhaseClock;
  readonly signal: AbortSignal;
  /** Sees every layer's attention while its tensors are alive, to check it. */
  readonly inspect?: ((tensors: LayerTensors, attended: PackedLayer) => Promise<void>) | undefined;
  /** Told after every layer. */
  readonly onLayer: () => void;
}

/**
 * Runs the large transformer over a packed sequence: one attention call a layer, whatever the number of prompts.
 *
 * A prompt alone is a pack of one, and takes the same way through the same graphs.
 * @param tokens token ids of all prompts, one after the other `[N]`
 * @returns the last layer's residual stream `[N, d]`, before the final norm
 * @throws CancelledError between two calls, once the signal is aborted
 */
export async function packPass(pass: PackPass, layout: PackLayout, tokens: Int32Array): Promise<Float32Array> {
  const { model, kernel, clock } = pass;
  const hidden = embed(model, tokens);
  for (const weights of model.layers) {
    const tensors = await clock.time('project', () => project(pass, layout, hidden, weights));
    const attended = await clock.time('attend', () => attendPacked(tensors, layout, kernel));
    await clock.time('verify', () => pass.inspect?.(tensors, attended));
    await clock.time('mlp', () => outputAndMlp(pass, hidden, attended.out, weights));
    pass.onLayer();
  }
  return hidden;
}

/** Projects prompt by prompt: each begins at position 0 of the rotary embedding, wherever it lies in the pack. */
async function project({ model, oracle, signal }: PackPass, layout: PackLayout, hidden: Float32Array, weights: LayerWeights): Promise<LayerTensors> {
  const { heads, keyValueHeads, headWidth, width } = model.shape;
  const query = headTensor(heads, layout.tokens, headWidth);
  const key = headTensor(keyValueHeads, layout.tokens, headWidth);
  const value = headTensor(keyValueHeads, layout.tokens, headWidth);
  for (const place of layout.prompts) {
    for (const [from, to] of chunks(place.from, place.to)) {
      throwIfCancelled(signal);
      const part = await oracle.project(hidden.subarray(from * width, to * width), weights, from - place.from);
      writeRows(query, from, part.query);
      writeRows(key, from, part.key);
      writeRows(value, from, part.value);
    }
  }
  return { query, key, value };
}

/** Replaces the residual stream, chunk by chunk: token-wise, so it need not know where a prompt ends. */
async function outputAndMlp({ model, oracle, signal }: PackPass, hidden: Float32Array, out: HeadTensor, weights: LayerWeights): Promise<void> {
  const { width } = model.shape;
  for (const [from, to] of chunks(0, out.tokens)) {
    throwIfCancelled(signal);
    const rows = hidden.subarray(from * width, to * width);
    rows.set(await oracle.outputAndMlp(rows, readRows(out, from, to), weights));
  }
}

function* chunks(first: number, end: number): Generator<readonly [number, number]> {
  for (let from = first; from < end; from += tokenwiseRows) {
    yield [from, Math.min(end, from + tokenwiseRows)];
  }
}
