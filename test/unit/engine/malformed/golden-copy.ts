import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { loadModel, openModel, type LoadedModel } from '../../../../src/engine/read/model/load';
import { rotaryTable } from '../../../../src/engine/read/model/rope';
import type { Weight } from '../../../../src/engine/read/model/weights';
import { modelsFolder, root } from '../../../support/paths';
import { temporaryFolder } from '../../../support/temporary';

const golden = join(root, 'test', 'golden');

/** The tiny models that the tests of predictions have. */
export const goldenModels: readonly string[] = readdirSync(golden, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** One of them for each architecture. */
export const oneOfEach = [
  ...['llama', 'mistral', 'qwen2', 'qwen3', 'smollm3', 'granite', 'olmo2', 'olmo3', 'gemma2', 'gemma3', 'phi3', 'cohere2', 'gpt-neo'],
  ...['mixtral', 'qwen3-moe', 'gpt-oss', 'bloom', 'mpt'],
  ...['gpt2', 'gpt-neox', 'bert', 'roberta', 'modernbert'],
] as const;

/** A copy of a tiny model, to be spoilt; it goes when the test ends. */
export function copyOf(model: string): string {
  const folder = join(temporaryFolder(), 'model');
  cpSync(join(golden, model), folder, { recursive: true });
  return folder;
}

/** A tiny model as it is. */
export function goldenModel(model: string): Promise<LoadedModel> {
  return load(join(golden, model));
}

/** The configuration of a tiny model. */
export function configOf(model: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(golden, model, 'config.json'), 'utf8')) as Record<string, unknown>;
}

/** Loads the model of a folder; its configuration is replaced where one is given. */
export async function load(folder: string, config?: string): Promise<LoadedModel> {
  if (config !== undefined) {
    writeFileSync(join(folder, 'config.json'), config);
  }
  return loadModel(await openModel(folder, modelsFolder));
}

function weightsOf({ embedding, head, layers }: LoadedModel): ReadonlyMap<string, Weight> {
  const groups: readonly (readonly [string, object])[] = [
    ['embedding', embedding],
    ['head', head],
    ...layers.flatMap(
      ({ project, attend, outputAndMlp }, layer) =>
        [
          [`project ${layer}`, project],
          [`attend ${layer}`, attend],
          [`rest ${layer}`, outputAndMlp],
        ] as const,
    ),
  ];
  return new Map(
    groups.flatMap(([group, weights]) =>
      Object.entries(weights as Readonly<Record<string, Weight>>).map(([name, weight]) => [`${group} ${name}`, weight]),
    ),
  );
}

/** A model that loads although its files were changed is sound: weights of the original's shapes, and nothing that is not finite. */
export function expectSound(model: LoadedModel, original: LoadedModel): void {
  const expected = weightsOf(original);
  for (const [name, { shape, data }] of weightsOf(model)) {
    // The head of some is optional; what the original has is compared.
    expect(shape, name).toEqual(expected.get(name)?.shape ?? shape);
    expect(data.length, name).toBe(shape.reduce((product, size) => product * size, 1));
    expect(data.every(Number.isFinite), name).toBe(true);
  }
  const { shape, rotary } = model;
  expect(model.layers).toHaveLength(shape.layers);
  expect(shape.heads % shape.keyValueHeads).toBe(0);
  for (const embedding of new Set(rotary?.filter((one) => one !== undefined))) {
    for (const [first, tokens] of [
      [0, 4],
      [1_000_000, 1_000_004],
    ]) {
      const { cos, sin } = rotaryTable(embedding, 4, first, shape.headWidth, tokens);
      expect(cos.every(Number.isFinite) && sin.every(Number.isFinite), JSON.stringify(embedding)).toBe(true);
    }
  }
}
