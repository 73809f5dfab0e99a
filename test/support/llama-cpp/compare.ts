import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultOptions } from '../../../src/core/options/table';
import { makePlan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { hiddenOf } from '../../../src/engine/attend/pass';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { OutputHead } from '../../../src/engine/attend/verify/predictions';
import type { LoadedModel } from '../../../src/engine/read/model/load';
import { root } from '../paths';
import { hasWindows, writeGguf } from './gguf';
import { LlamaCpp, logitsWithLlama } from './llama';

/** Where tests install llama.cpp, at first use. */
export const llamaFolder = join(root, '.cache', 'llama-cpp');

/** How far two runs of a prompt are apart. */
export interface Comparison {
  /** The largest difference of two logits of the same token at the same position. */
  readonly difference: number;
  /** The median over positions of the largest difference at each. */
  readonly median: number;
  /** Positions compared, from the first on. */
  readonly positions: number;
  /** Our logits, `[N, vocabulary]`. */
  readonly ours: Float32Array;
}

/** Runs a prompt by our tiles, and through llama.cpp with the same weights, or with those of another model of this shape. */
export async function compareWithLlama(ours: LoadedModel, tokens: Int32Array, theirs = ours): Promise<Comparison> {
  const folder = await mkdtemp(join(tmpdir(), 'two-heads-llama-'));
  try {
    const path = join(folder, 'model.gguf');
    await writeGguf(path, theirs, tokens.length);
    return await compareFileWithLlama(ours, path, tokens, theirs);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a prompt by our tiles, and a GGUF file through llama.cpp.
 *
 * @param theirs the model of the file, which may not say its windows
 */
export async function compareFileWithLlama(ours: LoadedModel, path: string, tokens: Int32Array, theirs: LoadedModel): Promise<Comparison> {
  const { window, positions } = windowOf(theirs, tokens.length);
  const found = await ourLogits(ours, tokens);
  const expected = (await llamaLogits(path, tokens, window)).slice(0, positions).flat();
  if (expected.length !== positions * ours.shape.vocabulary) {
    throw new Error(`llama.cpp gave ${expected.length} logits for ${positions} positions.`);
  }
  const { vocabulary } = ours.shape;
  const worst = Array.from({ length: positions }, (_, position) =>
    expected
      .slice(position * vocabulary, (position + 1) * vocabulary)
      .reduce((most, x, at) => Math.max(most, Math.abs(x - found[position * vocabulary + at])), 0),
  ).sort((one, other) => one - other);
  return { difference: worst[positions - 1], median: worst[Math.floor(positions / 2)], positions, ours: found };
}

/** The window to set in llama.cpp for all layers, and how many positions can be compared then. */
function windowOf(
  { modelType, shape: { attention } }: LoadedModel,
  tokens: number,
): { readonly window?: number; readonly positions: number } {
  if (hasWindows(modelType)) {
    return { positions: tokens };
  }
  switch (attention?.kind) {
    case 'sliding-window':
      return { window: attention.window, positions: tokens };
    case 'per-layer':
      // A key leaves llama.cpp's cache in all layers or in none: where layers differ, it is held to what no window cuts.
      return { positions: Math.min(tokens, ...attention.cycle.map((layer) => (layer.kind === 'sliding-window' ? layer.window : tokens))) };
    default:
      return { positions: tokens };
  }
}

/** Logits by tiles of the model's own attention, M = 16: `[N, vocabulary]`. */
export async function ourLogits(model: LoadedModel, tokens: Int32Array): Promise<Float32Array> {
  const device = await openDevice('cpu', 1);
  const head = new OutputHead(model, device);
  const plan = makePlan(planRequest(tokens.length, model.shape, { ...defaultOptions, blockSize: 16 }));
  try {
    return await head.logits(await hiddenOf(model, plan, tokens, device));
  } finally {
    await head.release();
  }
}

async function llamaLogits(path: string, tokens: Int32Array, window: number | undefined): Promise<number[][]> {
  const llama = await LlamaCpp.open(llamaFolder, path, 1);
  try {
    return await logitsWithLlama(await llama.context(tokens.length, tokens.length, false), tokens, window);
  } finally {
    await llama.close();
  }
}
