import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { safetensorsBytes } from '../../../support/safetensors-writer';
import { copyOf, load } from './golden-copy';
import { refusalOf } from './outcome';

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** A copy of a model whose weights are changed: their header, or their bytes. */
function spoilt(model: string, change: (header: Record<string, Entry>, data: Buffer) => unknown): string {
  const folder = copyOf(model);
  const path = join(folder, 'model.safetensors');
  const bytes = readFileSync(path);
  const dataStart = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, dataStart)) as Record<string, Entry>;
  const data = Buffer.from(bytes.subarray(dataStart));
  change(header, data);
  writeFileSync(path, safetensorsBytes(JSON.stringify(header), data));
  return folder;
}

const norm = 'model.norm.weight';

describe('weights that do not belong to their configuration', () => {
  it.each<[string, string, Parameters<typeof spoilt>[1], RegExp]>([
    [
      'NaN',
      'llama',
      (header, data) => data.writeFloatLE(NaN, header[norm].data_offsets[0] + 4),
      /model\.safetensors: model\.norm\.weight holds NaN at element 1/,
    ],
    [
      'infinity',
      'llama',
      (header, data) => data.writeFloatLE(-Infinity, header[norm].data_offsets[0]),
      /model\.norm\.weight holds -Infinity at element 0/,
    ],
    [
      'an infinite half',
      'llama-float16',
      (header, data) => data.writeUInt16LE(0x7c00, header[norm].data_offsets[0]),
      /model\.norm\.weight holds Infinity at element 0/,
    ],
    ['no tensor of a name', 'gpt2', (header) => delete header['transformer.ln_f.weight'], /The checkpoint lacks ln_f\.weight/],
    [
      'another number of dimensions',
      'llama',
      (header) => header[norm].shape.push(1),
      /model\.norm\.weight is \[32, 1\] but its configuration means \[32\]/,
    ],
    [
      'as many dimensions as may be',
      'llama',
      (header) => (header[norm].shape = [32, ...Array<number>(15).fill(1)]),
      /model\.norm\.weight is \[32, 1.*\] but its configuration means \[32\]/,
    ],
    [
      'long dimensions',
      'llama',
      (header) => (header[norm] = { dtype: 'I64', shape: Array<number>(16).fill(2 ** 53 - 1), data_offsets: [0, 0] }),
      /model\.norm\.weight is \[9007199254740991, .*…\] but/,
    ],
    [
      'a matrix turned over',
      'gpt2',
      (header) => header['transformer.h.0.mlp.c_fc.weight'].shape.reverse(),
      /h\.0\.mlp\.c_fc\.weight is \[\d+, 32\] but its configuration means \[32, \d+\]/,
    ],
    [
      'an empty tensor',
      'llama',
      (header) => (header[norm] = { dtype: 'F32', shape: [0], data_offsets: [0, 0] }),
      /model\.norm\.weight is \[0\] but/,
    ],
    ['whole numbers', 'llama', (header) => (header[norm].dtype = 'I32'), /model\.norm\.weight is stored as I32; convert/],
    ['tensors over one another', 'llama', (header) => (header[norm].data_offsets = [1, 129]), /overlaps another tensor/],
  ])('are refused: %s', async (_what, model, change, message) => {
    expect(await refusalOf(() => load(spoilt(model, change)))).toMatch(message);
  });

  it('are refused before they are read where they would not fit in memory', async () => {
    const folder = copyOf('llama');
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
    const giant = { ...config, hidden_size: 1_048_576, vocab_size: 16_777_216, num_hidden_layers: 4096 };
    expect(await refusalOf(() => load(folder, JSON.stringify(giant)))).toMatch(/needs 64\.0 TiB of memory for its weights/);
  });

  it('are refused where a name of the model would break a message', async () => {
    expect(await refusalOf(() => load('\n\u001b[31m'.repeat(1000)))).toMatch(/^Model "\\u\{a\}\\u\{1b\}/);
    expect(await refusalOf(() => load('a\u0000b'))).toMatch(/^Model "a\\u\{0\}b" is no folder/);
  });
});
