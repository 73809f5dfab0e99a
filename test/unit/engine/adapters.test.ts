import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors';
import { parseAdapterConfig } from '../../../src/engine/read/model/adapter/config';
import { targetsOf } from '../../../src/engine/read/model/adapter/targets';
import { listModels } from '../../../src/engine/read/model/found/list';
import { loadModel, type LoadedModel, openModel, placeOf } from '../../../src/engine/read/model/load';
import { openCheckpoint, openTensors } from '../../../src/engine/read/model/open-tensors';
import { SafetensorsFile } from '../../../src/engine/read/model/safetensors';
import type { Weight } from '../../../src/engine/read/model/weights';
import { DigestStore } from '../../../src/engine/store/digests';
import { run } from '../../support/cli';
import { emptyStores, revisions, storeInHub } from '../../support/model-stores';
import { modelsFolder, root } from '../../support/paths';
import { f32, safetensorsFile } from '../../support/safetensors-writer';
import { temporaryFolder } from '../../support/temporary';

/** What numpy made of each adapter in float64: see test/golden/adapters.py. */
const cases = { lora: 'llama', rslora: 'llama', layers: 'llama', 'all-linear': 'llama', gpt2: 'gpt2' } as const;

const golden = (name: string): string => join(root, 'test', 'golden', name);
const made = (name: string): string => join(root, 'test', 'fixtures', 'adapters', name);
type Json = Record<string, unknown>;
const configOf = (name: string): Json => JSON.parse(readFileSync(join(made(name), 'adapter_config.json'), 'utf8')) as Json;

/** A copy of an adapter whose base is in a folder of its own. */
function adapter(name: keyof typeof cases, changes: Json = {}): string {
  const folder = join(temporaryFolder(), name);
  cpSync(made(name), folder, { recursive: true, filter: (path) => !path.endsWith('merged.safetensors') });
  writeFileSync(
    join(folder, 'adapter_config.json'),
    JSON.stringify({ ...configOf(name), base_model_name_or_path: golden(cases[name]), ...changes }),
  );
  return folder;
}

async function load(folder: string): Promise<LoadedModel> {
  return loadModel(await openModel(folder, modelsFolder));
}

/** All weights of a model. */
function weightsOf({ embedding, head, layers }: LoadedModel): readonly Weight[] {
  const groups = [embedding, head, ...layers.flatMap(({ project, outputAndMlp }) => [project, outputAndMlp])];
  return groups.flatMap((group) => Object.values(group as Readonly<Record<string, Weight>>));
}

/** Refuses to open the adapter, with this message. */
async function refuses(folder: string, message: RegExp): Promise<void> {
  await expect(load(folder)).rejects.toThrow(message);
  await expect(load(folder)).rejects.toBeInstanceOf(InputError);
}

describe('an adapter', () => {
  it.each(Object.keys(cases) as (keyof typeof cases)[])('%s is merged as numpy merges it', async (name) => {
    const model = await openModel(adapter(name), modelsFolder);
    const tensors = await openTensors(model);
    const base = await openCheckpoint(model.folder, model.config);
    const expected = await SafetensorsFile.open(join(made(name), 'merged.safetensors'));
    const changed = new Set(expected.names);
    expect(changed.size).toBeGreaterThan(0);
    for (const tensor of tensors.names) {
      const { shape, data } = tensors.read(tensor);
      const wanted = (changed.has(tensor) ? expected : base).read(tensor);
      expect(shape).toEqual(wanted.shape);
      // Both round once from float64, whose sums may differ in order.
      const worst = data.reduce((most, value, index) => Math.max(most, Math.abs(value - wanted.data[index]) / (1 + Math.abs(value))), 0);
      expect(worst, tensor).toBeLessThan(1.2e-7);
    }
    expect([...changed].filter((tensor) => !new Set(tensors.names).has(tensor))).toEqual([]);
  });

  it.each(['rslora', 'gpt2'] as const)('%s gives the weights of its base with these tensors written into it', async (name) => {
    const whole = join(temporaryFolder(), 'whole');
    cpSync(golden(cases[name]), whole, { recursive: true });
    const files = await Promise.all(
      [join(whole, 'model.safetensors'), join(made(name), 'merged.safetensors')].map((path) => SafetensorsFile.open(path)),
    );
    const tensors: Record<string, ReturnType<typeof f32>> = {};
    for (const file of files) {
      for (const tensor of file.names) {
        const { shape, data } = file.read(tensor);
        tensors[tensor] = f32(shape, [...data]);
      }
    }
    writeFileSync(join(whole, 'model.safetensors'), safetensorsFile(tensors));
    const [own, merged] = [weightsOf(await load(adapter(name))), weightsOf(await load(whole))];
    expect(own).toHaveLength(merged.length);
    own.forEach(({ data }, index) => {
      const difference = data.reduce((most, value, at) => Math.max(most, Math.abs(value - merged[index].data[at])), 0);
      expect(difference).toBeLessThan(1e-6);
    });
  });

  it('may not lead from the cache to another folder', async () => {
    const { stores } = emptyStores();
    storeInHub(stores.hub, 'org/tuned', revisions.first, adapter('lora', { base_model_name_or_path: '../base' }));
    await expect(openModel('org/tuned', modelsFolder, stores)).rejects.toThrow(/"\.\.\/base" is a path of another machine/);
    for (const revision of ['..', '../../base', 'a/../..', '/etc', 'a//b', 'a\\b', 'x/']) {
      const lora = adapter('lora', { base_model_name_or_path: 'org/base', revision });
      await expect(load(lora)).rejects.toThrow(/: revision ".+" cannot be \(it is the name of no revision\)/);
    }
  });

  it('is found by its base in the cache, named with it, planned as it, listed, and digested with it', async () => {
    const { stores } = emptyStores();
    const base = temporaryFolder();
    cpSync(golden('llama'), base, { recursive: true });
    cpSync(join(modelsFolder, 'tiny-docs-5m', 'tokenizer.json'), join(base, 'tokenizer.json'));
    storeInHub(stores.hub, 'org/base', revisions.first, base);
    storeInHub(stores.hub, 'org/tuned', revisions.second, made('lora'));
    const model = await openModel('org/tuned', modelsFolder, stores);
    const plain = await openModel('org/base', modelsFolder, stores);
    expect(model.name).toBe('org/tuned@5678ef01 on org/base@1234abcd');
    expect(model.config).toEqual(plain.config);
    expect(model.storedBytes).toBeGreaterThan(plain.storedBytes ?? 0);
    expect(placeOf(model)).toBe(join(stores.hub, 'models--org--tuned', 'snapshots', revisions.second));
    const listed = (await listModels(modelsFolder, stores)).find(({ name }) => name === 'org/tuned');
    expect(listed).toMatchObject({ format: 'LoRA F32', modelType: 'llama', use: 'runs', reason: null });
    const digests = new DigestStore(undefined);
    const [own, others, bases] = await Promise.all(
      [adapter('lora'), adapter('rslora'), golden('llama')].map((place) => digests.ofModel(place)),
    );
    expect(own.files.map(({ name }) => name)).toEqual([
      'adapter_config.json',
      'adapter_model.safetensors',
      'base/config.json',
      'base/model.safetensors',
    ]);
    expect(new Set([own, others, bases].map(({ digest }) => digest)).size).toBe(3);
  });

  it('whose base is not here says which, and is listed so', async () => {
    const { stores } = emptyStores();
    storeInHub(stores.hub, 'org/tuned', revisions.second, made('lora'));
    const message = /base_model_name_or_path "org\/base" is not on this machine; fetch it \(two-heads fetch org\/base\)/;
    await expect(openModel('org/tuned', modelsFolder, stores)).rejects.toThrow(message);
    const listed = (await listModels(modelsFolder, stores)).find(({ name }) => name === 'org/tuned');
    expect(listed).toMatchObject({ use: 'refused', reason: expect.stringMatching(message) as string });
    await refuses(
      adapter('lora', { base_model_name_or_path: '/mnt/train/x' }),
      /"\/mnt\/train\/x" is not on this machine; write the name or the path/,
    );
    const first = adapter('lora');
    await refuses(adapter('lora', { base_model_name_or_path: first }), /adapts lora on llama|which is an adapter itself/);
  });
});

describe('a run of an adapter', () => {
  it('names both models, and is not a run of the base', async () => {
    const folder = join(temporaryFolder(), 'tuned');
    mkdirSync(folder);
    const config = { ...configOf('layers'), base_model_name_or_path: join(modelsFolder, 'tiny-docs-5m'), target_modules: ['q_proj'] };
    writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify({ ...config, exclude_modules: null }));
    const { width, heads, headWidth } = (await openModel('tiny-docs-5m', modelsFolder)).config.shape;
    const values = (count: number): number[] => Array.from({ length: count }, (_, index) => Math.sin(index));
    const name = 'base_model.model.model.layers.1.self_attn.q_proj';
    const tensors = {
      [`${name}.lora_A.weight`]: f32([2, width], values(2 * width)),
      [`${name}.lora_B.weight`]: f32([heads * headWidth, 2], values(2 * heads * headWidth)),
    };
    writeFileSync(join(folder, 'adapter_model.safetensors'), safetensorsFile(tensors));
    writeFileSync(join(folder, 'p.md'), 'A whale in the sea is a mammal, and the sea is where it lives.');
    const simulated = async (
      model: string,
    ): Promise<{ readonly model: { readonly name: string }; readonly quality: { readonly perplexity: number } }> => {
      const { stdout, stderr } = await run(['simulate', join(folder, 'p.md'), '--model', model, '--provider', 'cpu', '--json']);
      expect(stderr).not.toContain('two-heads:');
      return JSON.parse(stdout) as never;
    };
    const [own, base] = [await simulated(folder), await simulated('tiny-docs-5m')];
    expect(own.model.name).toBe('tuned on tiny-docs-5m');
    expect(own.quality.perplexity).not.toBe(base.quality.perplexity);
  });
});

describe('an adapter that cannot be merged is refused by name:', () => {
  it.each<[string, Json, RegExp]>([
    [
      'another method',
      { peft_type: 'IA3' },
      /peft_type is "IA3", and only LORA is merged; merge it into its base with PEFT's merge_and_unload/,
    ],
    ['AdaLoRA', { peft_type: 'ADALORA' }, /peft_type is "ADALORA"/],
    ['DoRA', { use_dora: true }, /use_dora is true, which is not merged/],
    ['biases of its own', { lora_bias: true }, /lora_bias is true/],
    ['tokens of its own', { trainable_token_indices: [1] }, /trainable_token_indices is /],
    ['layers of its own', { layer_replication: [[0, 2]] }, /layer_replication is /],
    ['a key that nobody knows', { new_way: 'x' }, /new_way is "x"/],
    ['a changed base', { init_lora_weights: 'pissa' }, /init_lora_weights "pissa" begins by changing the base/],
    ['a rank that is none', { r: 0 }, /r 0 cannot be/],
    ['a pattern that is none', { target_modules: '(' }, /target_modules ".*" cannot be read as a pattern/],
    ['a pattern that takes forever', { target_modules: '(a+)+' }, /could take too long/],
    [
      'a pattern that takes forever without nesting',
      { target_modules: `${'.*'.repeat(20)}x` },
      /takes too long; write the names of modules/,
    ],
    ['a path of another machine', { base_model_name_or_path: '\\\\elsewhere\\share\\m' }, /is a path of another machine; write the name/],
    ['a path where autofs would look', { base_model_name_or_path: '/net/elsewhere/m' }, /is a path of another machine/],
    ['layers beside a pattern', { target_modules: '.*q_proj', layers_to_transform: [1] }, /layers_to_transform does nothing beside/],
    [
      'a module that it does not name',
      { target_modules: ['q_proj'] },
      /v_proj\.lora_A\.weight is of a module that target_modules does not name/,
    ],
    ['a layer that it does not name', { layers_to_transform: [0, 1] }, /layers\.2\..* is of a module that target_modules does not name/],
    [
      'a module that it lacks',
      { target_modules: ['q_proj', 'v_proj', 'o_proj'] },
      /target_modules names model\.layers\.0\.self_attn\.o_proj, for which .* has nothing/,
    ],
    ['another rank', { r: 5 }, /where rank 5 and the base's \[32, 32\] mean \[5, 32\] and \[32, 5\]/],
    [
      'another base',
      { base_model_name_or_path: golden('gpt2'), fan_in_fan_out: true },
      /changes a module that the base does not have: it is of another base/,
    ],
    ['a base stored otherwise', { fan_in_fan_out: true }, /fan_in_fan_out is true, and matrices of llama are not stored \[in, out\]/],
  ])('%s', async (_, changes, message) => {
    await refuses(adapter('lora', changes), message);
  });

  it('a tensor that is nothing, or of another shape', async () => {
    await refuses(
      adapter('rslora', { modules_to_save: ['norm'] }),
      /lm_head\.weight is neither low-rank nor of a module of modules_to_save/,
    );
    await refuses(adapter('gpt2', { bias: 'none' }), /\.bias is neither low-rank nor/);
    const write = async (tensors: Parameters<typeof safetensorsFile>[0], message: RegExp, changes: Json = {}): Promise<void> => {
      const folder = adapter('layers', changes);
      writeFileSync(join(folder, 'adapter_model.safetensors'), safetensorsFile(tensors));
      await refuses(folder, message);
    };
    const zeros = (...shape: number[]): ReturnType<typeof f32> => f32(shape, Array<number>(shape.reduce((a, b) => a * b)).fill(0));
    const gate = 'base_model.model.model.layers.1.mlp.gate_proj';
    await refuses(adapter('gpt2', { modules_to_save: null }), /lm_head\.weight is neither/);
    await write(
      { 'base_model.model.model.embed_tokens.weight': zeros(288, 32) },
      /embed_tokens\.weight is changed, which is the base's output head as well/,
      { modules_to_save: ['embed_tokens'], target_modules: [] },
    );
    await write({}, /changes nothing/);
    await write({ x: zeros(1) }, /x is no tensor that PEFT writes for a LoRA/);
    await write({ [`${gate}.lora_A.weight`]: zeros(2, 32) }, /lora_A\.weight has no lora_B beside it/);
    await write({ [`${gate}.lora_magnitude_vector`]: zeros(48) }, /lora_magnitude_vector is neither low-rank/);
    await write(
      { 'base_model.model.lm_head.weight': zeros(2, 32) },
      /lm_head\.weight is \[2, 32\] but its configuration means \[288, 32\]/,
      {
        modules_to_save: ['lm_head'],
        target_modules: [],
      },
    );
    await write({ 'base_model.model.model.norm.weight': zeros(3) }, /is \[3\] and the base's is \[32\]/, { modules_to_save: ['norm'] });
  });
});

describe('the modules of an adapter', () => {
  const of = (changes: Json): ReturnType<typeof targetsOf> =>
    targetsOf(parseAdapterConfig(JSON.stringify({ ...configOf('lora'), rank_pattern: {}, alpha_pattern: {}, ...changes }), 'x'));
  const q = 'model.layers.11.self_attn.q_proj';

  it('are named by their ends, by a pattern of the whole, or all of them', () => {
    expect(of({ target_modules: ['q_proj'] }).has(q)).toBe(true);
    expect(of({ target_modules: ['proj'] }).has(q)).toBe(false);
    expect(of({ target_modules: ['self_attn.q_proj'] }).has(q)).toBe(true);
    expect(of({ target_modules: '.*q_proj' }).has(q)).toBe(true);
    expect(of({ target_modules: '.*q_pro' }).has(q)).toBe(false);
    expect(of({ target_modules: 'q_proj' }).has(q)).toBe(false);
    expect(of({ target_modules: 'a|.*q_proj' }).has(q)).toBe(true);
    expect(of({ target_modules: 'all-linear' }).has(q)).toBe(true);
    expect(of({ target_modules: 'all-linear' }).has('lm_head')).toBe(false);
    expect(of({ target_modules: ['q_proj'], exclude_modules: '.*\\.11\\..*' }).has(q)).toBe(false);
    expect(of({ target_modules: ['q_proj'], layers_to_transform: 11 }).has(q)).toBe(true);
    expect(of({ target_modules: ['q_proj'], layers_to_transform: [1] }).has(q)).toBe(false);
    expect(of({ target_modules: ['q_proj'], layers_to_transform: [11], layers_pattern: ['h'] }).has(q)).toBe(false);
  });

  it('have the rank and alpha of the first pattern that their names end with', () => {
    const targets = of({
      r: 4,
      lora_alpha: 8,
      rank_pattern: { q_proj: 2, self_attn: 3 },
      alpha_pattern: { 'layers.11.*': 5 },
      use_rslora: true,
    });
    expect(targets.rankOf(q)).toBe(2);
    expect(targets.scaleOf(q)).toBe(5 / Math.sqrt(2));
    expect(targets.rankOf('model.layers.1.self_attn.v_proj')).toBe(4);
    expect(targets.scaleOf('model.layers.1.self_attn.v_proj')).toBe(4);
  });
});

it('any configuration is read or refused in a line, whatever its values are', () => {
  const keys = Object.keys(configOf('lora'));
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom(null, true, 1e9, -1, 'all-linear', ['q_proj'], { q_proj: 0 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.oneof(fc.constantFrom(...keys), fc.string()), value), { maxLength: 4 }), (changes) => {
      const text = JSON.stringify({ ...configOf('lora'), ...Object.fromEntries(changes) });
      try {
        targetsOf(parseAdapterConfig(text, 'x')).has('model.layers.0.self_attn.q_proj');
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        expect((error as Error).message).not.toContain('\n');
      }
    }),
    { numRuns: 3000 },
  );
});
