import { appendFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import { makePlan } from '../../../src/core/plan/plan';
import { planRequest } from '../../../src/core/plan/request';
import { hiddenOf, passOf } from '../../../src/engine/attend/pass';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { OutputHead } from '../../../src/engine/attend/verify/predictions';
import { type LoadedModel, loadModel, openModel } from '../../../src/engine/read/model/load';
import type { Weight } from '../../../src/engine/read/model/weights';
import { modelsFolder, root } from '../../support/paths';
import { writeQ8Model } from '../../support/q8-model';
import { temporaryFolder } from '../../support/temporary';
import { refusalOf } from './malformed/outcome';

const golden = (name: string): string => join(root, 'test', 'golden', name);

async function both(path: string): Promise<readonly [inMemory: LoadedModel, inFiles: LoadedModel]> {
  const model = await openModel(path, modelsFolder);
  return [await loadModel(model, true), await loadModel(model, false)];
}

function matricesOf({ layers, embedding, head }: LoadedModel): readonly (readonly [string, Weight])[] {
  return [embedding, head, ...layers.flatMap(({ project, outputAndMlp }) => [project, outputAndMlp])]
    .flatMap((group) => Object.entries(group) as [string, Weight][])
    .filter(([, { shape }]) => shape.length === 2);
}

describe('weights that stay in their files', () => {
  // Matrices of their own; transposed and joined; joined otherwise; a norm by 1 + w; pairs of columns; stacks of experts; adapters.
  it.each(['llama', 'gpt2', 'phi3', 'gemma2', 'cohere2', 'gpt-oss', 'qwen3-moe', 'bert'])('are those in memory, in %s', async (name) => {
    const [inMemory, inFiles] = await both(golden(name));
    const [kept, read] = [matricesOf(inMemory), matricesOf(inFiles)];
    expect(read.map(([weight]) => weight)).toEqual(kept.map(([weight]) => weight));
    expect(read.every(([, weight]) => weight.readData !== undefined)).toBe(true);
    // Backwards, so that no order is needed.
    [...read.entries()].reverse().forEach(([index, [name, weight]]) => {
      const [{ data }, columns] = [kept[index][1], weight.shape[1]];
      expect(weight.data, name).toEqual(data);
      expect(weight.readData?.(new Float32Array(data.length)), name).toEqual(data);
      expect(weight.readRow?.(1) ?? data.subarray(columns, 2 * columns), name).toEqual(data.subarray(columns, 2 * columns));
    });
  });

  it.each(['llama', 'gpt-oss'])('give the same run, tile by tile and compiled, in %s', async (name) => {
    const [inMemory, inFiles] = await both(golden(name));
    const plan = makePlan(planRequest(40, inMemory.shape, { ...defaultOptions, scenario: { kind: 'native' }, blockSize: 16 }));
    const tokens = Int32Array.from({ length: 40 }, (_, index) => 3 + ((index * 37) % (inMemory.shape.vocabulary - 4)));
    const device = await openDevice('cpu', 1);
    for (const executor of ['tiles', 'compiled'] as const) {
      const [own, other] = [inMemory, inFiles].map((model) => hiddenOf(model, plan, tokens, device, passOf(executor, 'float32')));
      const hidden = await own;
      expect(await other).toEqual(hidden);
      const heads = [inMemory, inFiles].map((model) => new OutputHead(model, device));
      const [logits, again] = await Promise.all(heads.map((head) => head.logits(hidden)));
      expect(again).toEqual(logits);
      heads[1].keepWeights();
      expect(await heads[1].logits(hidden)).toEqual(logits);
      await Promise.all(heads.map((head) => head.release()));
    }
  });

  it('are codes that no memory has, and rows of them', async () => {
    const path = await writeQ8Model(temporaryFolder());
    const model = await loadModel(await openModel(path, modelsFolder));
    const { words } = model.embedding;
    expect(words.codeBits).toBe(8);
    expect(words.readRow?.(5)).toEqual(words.data.subarray(5 * 64, 6 * 64));
    expect(words.packed).not.toBe(words.packed);
    expect(words.packed).toEqual(words.packed);
  });

  it('are refused once their file has changed', async () => {
    const copy = join(temporaryFolder(), 'model');
    cpSync(golden('llama'), copy, { recursive: true });
    const { embedding, layers } = await loadModel(await openModel(copy, modelsFolder), false);
    appendFileSync(join(copy, 'model.safetensors'), 'more');
    const changed = /cannot be read \(the file has changed since it was opened\); start again/;
    expect(await refusalOf(() => embedding.words.readRow?.(0))).toMatch(changed);
    expect(await refusalOf(() => layers[0].project.queryWeight?.data)).toMatch(changed);
  });
});
