import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkLoadable, loadModel, openModel } from '../../../src/engine/read/model/load';
import type { ConfigJson } from '../../../src/engine/read/model/keys';
import { openTensors } from '../../../src/engine/read/model/open-tensors';
import { quantisationBeside } from '../../../src/engine/read/model/quantised/beside';
import { readQuantisation } from '../../../src/engine/read/model/quantised/quantisation';
import type { TensorSource } from '../../../src/engine/read/model/tensor-source';
import { modelsFolder } from '../../support/paths';
import { quantisedFolder as folder } from '../../support/quantised-cases';
import { f32, safetensorsFile, type StoredTensor } from '../../support/safetensors-writer';
import { copyOf } from './malformed/golden-copy';

/** What numpy makes of a quantised checkpoint: see test/golden/quantised.py. */
interface Expected {
  /** The golden model that was quantised; absent if the case has some weights only. */
  readonly model?: string;
  /** The tensors of the plain checkpoint. */
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly sha256: string }>>;
}

const cases = readdirSync(folder);
const expectedOf = (name: string): Expected => JSON.parse(readFileSync(join(folder, name, 'expected.json'), 'utf8')) as Expected;
const whole = cases.filter((name) => expectedOf(name).model !== undefined);

async function open(name: string): Promise<TensorSource> {
  const path = join(folder, name);
  const config = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')) as ConfigJson;
  const stored = readQuantisation({ ...(await quantisationBeside(path)), ...config });
  expect(stored?.lacks).toEqual([]);
  return openTensors({ folder: path, config: stored ? { stored } : {} });
}

describe('a quantised checkpoint', () => {
  it('is there in every format that is read', () => {
    expect(cases).toEqual(expect.arrayContaining(['awq', 'fp8-blocks', 'fp8-channels', 'fp8-tensors', 'gptq', 'mlx', 'mxfp4']));
    expect(cases.filter((name) => name.startsWith('gptq-'))).toHaveLength(5);
    expect(whole).toEqual(['awq', 'fp8-blocks', 'fp8-channels', 'gptq', 'mlx']);
  });

  it.each(cases)('has the names, the shapes and the values, bit for bit, that numpy gives: %s', async (name) => {
    const files = await open(name);
    const { tensors } = expectedOf(name);
    expect([...files.names].sort()).toEqual(Object.keys(tensors).sort());
    for (const [tensor, { shape, sha256 }] of Object.entries(tensors)) {
      expect(files.shapeOf(tensor)).toEqual(shape);
      files.checkType(tensor);
      const read = await files.read(tensor);
      expect(read.shape).toEqual(shape);
      const { buffer, byteOffset, byteLength } = read.data;
      expect(
        createHash('sha256')
          .update(new Uint8Array(buffer, byteOffset, byteLength))
          .digest('hex'),
        tensor,
      ).toBe(sha256);
    }
    await files.close();
  });

  it.each(whole)('loads as the same model as its plain checkpoint, and says what it is: %s', async (name) => {
    const { model = '', tensors } = expectedOf(name);
    const plain = copyOf(model);
    const files = await open(name);
    const written: Record<string, StoredTensor> = {};
    for (const tensor of Object.keys(tensors)) {
      const { shape, data } = await files.read(tensor);
      written[tensor] = f32(shape, [...data]);
    }
    await files.close();
    writeFileSync(join(plain, 'model.safetensors'), safetensorsFile(written));
    const opened = await openModel(join(folder, name), modelsFolder);
    const files2 = await openTensors(opened);
    checkLoadable(opened, files2);
    await files2.close();
    const [{ embedding, head, layers }, expected] = [await loadModel(opened), await loadModel(await openModel(plain, modelsFolder))];
    expect({ embedding, head, layers }).toEqual({ embedding: expected.embedding, head: expected.head, layers: expected.layers });
    const format = opened.storedType ?? 'none';
    expect(opened.config.notes.at(-1)).toMatch(new RegExp(`^Weights are stored as ${format} and run in float32`));
    expect(files2.mainType).toBe(format);
  });
});
