import type { PhaseClock } from '../attend/runtime/clock';
import type { LayerTensors } from '../attend/tiles/layer';
import { embed } from '../attend/tiles/embed';
import { outputAndMlp, project, stretches, type Stretch, type TokenwisePass } from '../attend/tiles/tokenwise';
import type { AttentionKernel } from './kernel';
import type { PackLayout } from './layout';
import { attendPacked, type PackedLayer } from '../tasks/pack/packed-attention';

/** Tokens that one token-wise dispatch takes at most, so that its intermediates stay bounded. */
const tokenwiseRows = 2048;

/** What a forward pass over a packed sequence needs. */
export interface PackPass extends TokenwisePass {
  readonly kernel: AttentionKernel;
  readonly clock: PhaseClock;
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
  const hidden = embed(model, tokens, positionsIn(layout));
  for (const weights of model.layers) {
    const tensors = await clock.time('project', () => project(pass, hidden, weights, byPrompt(layout)));
    const attended = await clock.time('attend', () => attendPacked(tensors, layout, kernel));
    await clock.time('verify', () => pass.inspect?.(tensors, attended));
    await clock.time('mlp', () => outputAndMlp(pass, hidden, attended.out, weights, stretches(0, layout.tokens, tokenwiseRows)));
    pass.onLayer();
  }
  return hidden;
}

/** The position of a row in its own prompt. */
function positionsIn({ prompts }: PackLayout): (row: number) => number {
  const starts = prompts.flatMap(({ from, to }) => Array.from({ length: to - from }, () => from));
  return (row) => row - starts[row];
}

/** The pack cut prompt by prompt: each begins at position 0 of the rotary embedding, wherever it lies in the pack. */
function* byPrompt({ prompts }: PackLayout): Generator<Stretch> {
  for (const { from, to } of prompts) {
    yield* stretches(from, to, tokenwiseRows);
  }
}
