import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors';
import { parameterCount } from '../../../src/core/shapes';
import { loadModel, openModel } from '../../../src/engine/read/model/load';
import { embeddedFolder, modelsFolder } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

/** A copy of the embedded model whose configuration is edited. */
function variant(edit: (config: Record<string, unknown>) => unknown): string {
  const folder = join(temporaryFolder(), 'variant');
  cpSync(embeddedFolder, folder, { recursive: true });
  const path = join(folder, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  edit(config);
  writeFileSync(path, JSON.stringify(config));
  return folder;
}

describe('opening a model', () => {
  it('reads the embedded model by name', async () => {
    const model = await openModel('tiny-docs-5m', modelsFolder);
    expect(model.config.shape).toEqual({
      layers: 6,
      heads: 8,
      keyValueHeads: 4,
      headWidth: 32,
      width: 256,
      feedForwardWidth: 704,
      vocabulary: 4096,
      parameters: 5_475_584,
      attention: { kind: 'causal' },
      trainedTokens: 2048,
    });
    // Counted from the checkpoint's tensors, and from a Llama's shape.
    const { layers, heads, keyValueHeads, headWidth, width, feedForwardWidth, vocabulary } = model.config.shape;
    expect(parameterCount({ layers, heads, keyValueHeads, headWidth, width, feedForwardWidth, vocabulary })).toBe(5_475_584);
    const loaded = await loadModel(model);
    expect(loaded.layers).toHaveLength(6);
    expect(loaded.head.headWeight?.data).toBe(loaded.embedding.words.data);
  });

  it.each<[string, (config: Record<string, unknown>) => unknown, RegExp]>([
    [
      'an architecture it does not know',
      (c) => (c.model_type = 'mamba'),
      /model_type "mamba" with architectures "LlamaForCausalLM" is not supported; use a model of a type that docs\/models\.md lists/,
    ],
    ['no architecture', (c) => delete c.model_type, /model_type is missing/],
    [
      'rope scaling it does not know',
      (c) => (c.rope_scaling = { type: 'longrope', factor: 2 }),
      /rope scaling "longrope" is not supported; use a model with one of default, linear, dynamic, llama3, yarn/,
    ],
    [
      'rope scaling without its factor',
      (c) => (c.rope_scaling = { type: 'linear' }),
      /rope scaling "linear" without factor is not supported/,
    ],
    [
      'heads that are rotated in part',
      (c) => (c.rope_scaling = { rope_type: 'default', partial_rotary_factor: 0.5 }),
      /partial_rotary_factor 0\.5 is not supported/,
    ],
    ['an activation it does not know', (c) => (c.hidden_act = 'mish'), /hidden_act "mish"/],
    ['more layers than any model has', (c) => (c.num_hidden_layers = 1e9), /num_hidden_layers/],
    ['a missing field', (c) => delete c.hidden_size, /hidden_size: .*restore the model's config\.json/],
    ['a negative count', (c) => (c.num_hidden_layers = -1), /num_hidden_layers/],
    ['heads that do not divide', (c) => (c.num_key_value_heads = 3), /3 key-value heads do not divide 8 heads/],
    ['an odd head width', (c) => (c.head_dim = 31), /head width of 31/],
  ])('refuses %s', async (_what, edit, message) => {
    const failure = await openModel(variant(edit), modelsFolder).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect((failure as Error).message).toMatch(message);
  });

  it('refuses a folder that is not there, and one without a configuration', async () => {
    await expect(openModel('no-such-model', modelsFolder)).rejects.toThrow(
      /"no-such-model" is no folder .*use a model's folder, tiny-docs-5m/,
    );
    await expect(openModel(temporaryFolder(), modelsFolder)).rejects.toThrow(/config\.json cannot be read/);
  });

  it('refuses a configuration that is not JSON', async () => {
    const folder = variant(() => undefined);
    writeFileSync(join(folder, 'config.json'), '{"a":');
    await expect(openModel(folder, modelsFolder)).rejects.toThrow(/config\.json is not JSON/);
  });

  it('refuses weights that disagree with the configuration, or are missing', async () => {
    const wider = await openModel(
      variant((c) => (c.intermediate_size = 700)),
      modelsFolder,
    );
    await expect(loadModel(wider)).rejects.toThrow(/gate_proj\.weight is \[704, 256\] but its configuration means \[700, 256\]/);
    const deeper = await openModel(
      variant((c) => (c.num_hidden_layers = 7)),
      modelsFolder,
    );
    await expect(loadModel(deeper)).rejects.toThrow(/lacks model\.layers\.6\./);
    const folder = variant(() => undefined);
    rmSync(join(folder, 'model.safetensors'));
    await expect(loadModel(await openModel(folder, modelsFolder))).rejects.toThrow(/has no weights \(model\.safetensors cannot be read/);
  });
});
