import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../src/engine/read/model/config';
import type { LoadedModel } from '../../../../src/engine/read/model/load';
import { configOf, copyOf, expectSound, goldenModel, goldenModels, load, oneOfEach } from './golden-copy';
import { deepJson, nastyStrings, outcomeOf } from './outcome';

/** A fixed seed: a run today and one tomorrow see the same files. fast-check prints seed and path of a failure. */
const seed = 20_250_101;

/** JSON text of values that break readers of counts, factors, names and lists. */
const nastyJson: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '0',
      '-0',
      '1',
      '2',
      '3',
      '-1',
      '4.5',
      '0.5',
      '1e-7',
      '5e-324',
      '1e9',
      '1e15',
      '1e308',
      '-1e308',
      '1e999',
      '9007199254740993',
      'null',
      'true',
      'false',
      'NaN',
      'Infinity',
      '[]',
      '{}',
      '[[]]',
      '{"__proto__":{}}',
      deepJson(50_000),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...nastyStrings, 'linear', 'yarn', 'default', 'sliding_attention', 'relu', 'llama', 'bert')
      .map((text) => JSON.stringify(text)),
  },
  { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
);

/** Fields that the configurations leave out, and that readers look for. */
const optionalFields = [
  'head_dim',
  'rope_scaling',
  'rope_theta',
  'sliding_window',
  'layer_types',
  'use_sliding_window',
  'max_window_layers',
  'n_inner',
  'local_attention',
  'global_attn_every_n_layers',
  'decoder_bias',
  'attention_bias',
  '__proto__',
];
const ropeFields = [
  'rope_type',
  'type',
  'factor',
  'rope_theta',
  'attention_factor',
  'mscale',
  'mscale_all_dim',
  'beta_fast',
  'beta_slow',
  'low_freq_factor',
  'high_freq_factor',
  'original_max_position_embeddings',
  'truncate',
];

interface Edit {
  readonly field: string;
  /** JSON text; undefined drops the field. */
  readonly json: string | undefined;
}

const editOf = (fields: readonly string[]): fc.Arbitrary<Edit> =>
  fc.record({ field: fc.constantFrom(...fields), json: fc.option(nastyJson, { nil: undefined, freq: 6 }) });

/** Writes an object with some of its fields replaced by other JSON, which need not be JSON at all. */
function edited(value: object, edits: readonly Edit[]): string {
  const fields = new Map(Object.entries(value).map(([field, own]) => [field, JSON.stringify(own)]));
  edits.forEach(({ field, json }) => (json === undefined ? fields.delete(field) : fields.set(field, json)));
  return `{${[...fields].map(([field, json]) => `${JSON.stringify(field)}:${json}`).join()}}`;
}

const changedConfigs: fc.Arbitrary<string> = fc.constantFrom(...goldenModels).chain((model) => {
  const config = configOf(model);
  const rope = config.rope_parameters;
  const plain = fc.array(editOf([...Object.keys(config), ...optionalFields]), { minLength: 1, maxLength: 2 });
  return typeof rope !== 'object' || rope === null
    ? plain.map((edits) => edited(config, edits))
    : fc.oneof(
        { weight: 2, arbitrary: plain.map((edits) => edited(config, edits)) },
        {
          weight: 1,
          arbitrary: fc
            .array(editOf(ropeFields), { minLength: 1, maxLength: 3 })
            .map((edits) => edited(config, [{ field: 'rope_parameters', json: edited(rope, edits) }])),
        },
      );
});

describe('a config.json of any kind is refused, or means a model', () => {
  it('of any JSON', async () => {
    const typed = fc
      .tuple(
        fc.constantFrom(
          'llama',
          'mistral',
          'qwen2',
          'qwen3',
          'smollm3',
          'granite',
          'olmo2',
          'olmo3',
          'gemma2',
          'gemma3_text',
          'phi3',
          'cohere2',
          'gpt_neo',
          'gpt2',
          'gpt_neox',
          'bert',
          'roberta',
          'modernbert',
        ),
        fc.dictionary(fc.string(), fc.jsonValue()),
      )
      .map(([type, fields]) => JSON.stringify({ ...fields, model_type: type }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json(), typed), async (text) => {
        await outcomeOf(() => parseConfig(text, 'config.json'));
      }),
      { numRuns: 500, seed },
    );
  });

  it('of a valid one with fields replaced', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(changedConfigs, async (text) => {
        const { value } = await outcomeOf(() => parseConfig(text, 'config.json'));
        if (value !== undefined) {
          accepted += 1;
          const { layers, heads, keyValueHeads, headWidth, width, feedForwardWidth, vocabulary, parameters = 0 } = value.shape;
          for (const count of [layers, heads, keyValueHeads, headWidth, width, feedForwardWidth, vocabulary]) {
            expect(Number.isSafeInteger(count) && count > 0).toBe(true);
          }
          expect(Number.isFinite(parameters)).toBe(true);
          // A field that is not known, or quantised weights, leave a plan without a run.
          expect(value.run?.checkpoint.layers.length ?? layers).toBe(layers);
          expect(value.lacks.length > 0).toBe(value.run === undefined);
        }
      }),
      { numRuns: 2000, seed },
    );
    expect(accepted).toBeGreaterThan(200);
  });
});

const spoilt = [...oneOfEach, 'llama-rope-yarn', 'llama-rope-llama3', 'llama-float16'];

describe.each(spoilt)('a spoilt %s is refused, or as sound as before', (name) => {
  async function check(original: LoadedModel, folder: string): Promise<boolean> {
    const { value } = await outcomeOf(() => load(folder));
    if (value !== undefined) {
      expectSound(value, original);
    }
    return value !== undefined;
  }

  it('by its configuration', async () => {
    const [original, folder, config] = [await goldenModel(name), copyOf(name), configOf(name)];
    let loaded = 0;
    const rope = fc
      .array(editOf(ropeFields), { minLength: 1, maxLength: 3 })
      .map((edits): Edit => ({ field: 'rope_parameters', json: edited(config.rope_parameters ?? {}, edits) }));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ weight: 3, arbitrary: editOf([...Object.keys(config), ...optionalFields]) }, { weight: 1, arbitrary: rope }),
        async (edit) => {
          writeFileSync(join(folder, 'config.json'), edited(config, [edit]));
          loaded += Number(await check(original, folder));
        },
      ),
      { numRuns: 80, seed },
    );
    expect(loaded).toBeGreaterThan(10);
  });

  it('by bytes of its weights', async () => {
    const [original, folder] = [await goldenModel(name), copyOf(name)];
    let loaded = 0;
    const intact = readFileSync(join(folder, 'model.safetensors'));
    const headerEnd = 8 + Number(intact.readBigUInt64LE());
    const position = fc.oneof(fc.nat(7), fc.integer({ min: 8, max: headerEnd - 1 }), fc.nat(intact.length - 1));
    const damage = fc.record({
      bytes: fc.array(fc.tuple(position, fc.oneof(fc.nat(255), fc.constantFrom(0x22, 0x30, 0x39, 0x7f, 0xff))), { maxLength: 4 }),
      cut: fc.oneof({ weight: 6, arbitrary: fc.constant(intact.length) }, { weight: 1, arbitrary: fc.nat(intact.length) }),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ bytes, cut }) => {
        const spoilt = Buffer.from(intact);
        bytes.forEach(([at, byte]) => (spoilt[at] = byte));
        writeFileSync(join(folder, 'model.safetensors'), spoilt.subarray(0, cut));
        loaded += Number(await check(original, folder));
      }),
      { numRuns: 60, seed },
    );
    expect(loaded).toBeGreaterThan(5);
  });
});
