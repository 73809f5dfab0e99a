import { describe, expect, it } from 'vitest';
import { checkLoadable, openModel } from '../../../../src/engine/read/model/load';
import { openTensors } from '../../../../src/engine/read/model/open-tensors';
import { modelsFolder } from '../../../support/paths';
import { spoilt, type Tensors } from '../../../support/quantised-cases';
import { f32 } from '../../../support/safetensors-writer';
import { load } from './golden-copy';
import { outcomeOf, refusalOf } from './outcome';

const q = 'model.layers.0.self_attn.q_proj';
const up = 'model.layers.1.mlp.up_proj';
const byte = (name: string, at: number, value: number) => (tensors: Tensors) => {
  tensors[name].data[at] = value;
};

/** The biases of zeros, in float16, that AutoGPTQ writes beside every weight. */
const zeroBiases = (tensors: Tensors): void => {
  for (const [name, { shape }] of Object.entries(tensors).filter(([tensor]) => tensor.endsWith('.qweight'))) {
    tensors[name.replace(/qweight$/, 'bias')] = { dtype: 'F16', shape: [shape[1]], data: new Uint8Array(2 * shape[1]) };
  }
};
const withBiases =
  (change: (tensors: Tensors) => unknown) =>
  (tensors: Tensors): void => {
    zeroBiases(tensors);
    change(tensors);
  };

describe("AutoGPTQ's biases of zeros", () => {
  it('change nothing where the model has none, and nothing else has them', async () => {
    const { layers } = await load(spoilt('gptq', () => undefined));
    expect((await load(spoilt('gptq', zeroBiases))).layers).toEqual(layers);
    const model = await openModel(spoilt('gptq', zeroBiases), modelsFolder);
    const files = await openTensors(model);
    expect(files.paddedBiases).toHaveLength(7 * layers.length);
    expect(await outcomeOf(() => checkLoadable(model, files))).toEqual({ value: undefined });
  });

  it('are the biases of a model that has some', async () => {
    const biased = spoilt('gptq', (tensors, config) => {
      config.attention_bias = true;
      withBiases(byte(`${q}.bias`, 3, 0x3c))(tensors);
    });
    const { layers } = await load(biased);
    expect([...(layers[0].project as Readonly<Record<string, { data: Float32Array }>>).queryBias.data.slice(0, 3)]).toEqual([0, 1, 0]);
  });

  it.each<[string, string, (tensors: Tensors) => unknown, RegExp]>([
    [
      'is not zero',
      'gptq',
      withBiases(byte(`${up}.bias`, 3, 0x3c)),
      /^The checkpoint's model\.layers\.1\.mlp\.up_proj\.bias, which no llama reads, is not zero but has 1, so .*; use a checkpoint without it/,
    ],
    ['is no number', 'gptq', withBiases(byte(`${up}.bias`, 3, 0x7e)), /up_proj\.bias/],
    [
      'has another shape',
      'gptq',
      withBiases((tensors) => (tensors[`${up}.bias`] = { dtype: 'F16', shape: [1], data: new Uint8Array(2) })),
      /up_proj\.bias is \[1\] where GPTQ/,
    ],
    // AutoAWQ writes none.
    [
      'is in AWQ',
      'awq',
      (tensors) => (tensors[`${up}.bias`] = f32([48], Array<number>(48).fill(0))),
      /up_proj\.bias, which no mistral reads/,
    ],
  ])('are refused where one %s', async (_what, name, change, message) => {
    expect(await refusalOf(() => load(spoilt(name, change)))).toMatch(message);
  });
});
