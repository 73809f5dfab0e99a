import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { uniform } from '../../../src/core/math/random';
import { defaultOptions } from '../../../src/core/options/table';
import type { RunReport } from '../../../src/core/report/report';
import { makeScenario } from '../../../src/core/scenario/registry';
import { listModels } from '../../../src/engine/read/model/found/list';
import type { ConfigJson } from '../../../src/engine/read/model/keys';
import { openCheckpoint } from '../../../src/engine/read/model/open-tensors';
import { quantisationBeside } from '../../../src/engine/read/model/quantised/beside';
import { readQuantisation } from '../../../src/engine/read/model/quantised/quantisation';
import type { TensorSource } from '../../../src/engine/read/model/tensor-source';
import { promptFromText } from '../../../src/engine/read/prompt';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import { simulate } from '../../../src/engine/tasks/simulate';
import { emptyStores, revisions, storeInHub } from '../../support/model-stores';
import { modelsFolder } from '../../support/paths';
import { quantisedFolder as folder } from '../../support/quantised-cases';
import { f32, safetensorsFile, type StoredTensor } from '../../support/safetensors-writer';
import { temporaryFolder } from '../../support/temporary';
import { writeTinyTokenizer } from '../../support/tiny-tokenizer';
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
  return openCheckpoint(path, stored ? { stored } : {});
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
      const read = files.read(tensor);
      expect(read.shape).toEqual(shape);
      const { buffer, byteOffset, byteLength } = read.data;
      expect(
        createHash('sha256')
          .update(new Uint8Array(buffer, byteOffset, byteLength))
          .digest('hex'),
        tensor,
      ).toBe(sha256);
    }
  });

  it.each(whole)('runs as its plain checkpoint does, and is listed with what it is: %s', async (name) => {
    const { model = '', tensors } = expectedOf(name);
    const files = await open(name);
    const floats: Record<string, StoredTensor> = {};
    for (const tensor of Object.keys(tensors)) {
      const { shape, data } = files.read(tensor);
      floats[tensor] = f32(shape, [...data]);
    }
    const [plain, quantised] = [copyOf(model), join(temporaryFolder(), 'model')];
    writeFileSync(join(plain, 'model.safetensors'), safetensorsFile(floats));
    cpSync(join(folder, name), quantised, { recursive: true });
    const [own, expected] = [await measured(quantised), await measured(plain)];
    expect(own.quality).not.toBeNull();
    expect(own.quality).toEqual(expected.quality);

    const format = files.mainType ?? 'none';
    expect(own.plan.notes.join()).toContain(`Weights are stored as ${format} and run in float32`);
    expect(expected.plan.notes.join()).not.toContain('Weights are stored');
    const { stores } = emptyStores();
    storeInHub(stores.hub, 'org/quantised', revisions.first, quantised);
    const [listed] = await listModels('', stores);
    expect(listed).toMatchObject({ name: 'org/quantised', format: `safetensors ${format}`, use: 'runs', reason: null });
  });

  it('is a gpt-oss whose experts are in MXFP4, and runs as the one with their values in float32 does', async () => {
    const [plain, quantised] = [copyOf('gpt-oss'), copyOf('gpt-oss')];
    const files = await openCheckpoint(plain, {});
    const floats: Record<string, StoredTensor> = {};
    const packed: Record<string, StoredTensor> = {};
    const next = uniform(7);
    for (const name of files.names) {
      const { shape, data } = files.read(name);
      if (!/(gate_up|down)_proj$/.test(name)) {
        floats[name] = packed[name] = f32(shape, [...data]);
      } else {
        const [experts, width, rows] = shape;
        const size = [experts, rows, width / 32];
        const codes = Array.from(data, () => Math.floor(16 * next()));
        const exponents = Array.from({ length: data.length / 32 }, () => 122 + Math.floor(3 * next()));
        // Codes are by expert, row of the output and column of the input; the plain matrix is the other way round.
        const values = Array.from(data, (_, at) => {
          const [expert, column, row] = [Math.floor(at / (width * rows)), Math.floor(at / rows) % width, at % rows];
          const code = (expert * rows + row) * width + column;
          const size = [0, 0.5, 1, 1.5, 2, 3, 4, 6][codes[code] & 7];
          return (codes[code] < 8 ? size : -size) * 2 ** (exponents[Math.floor(code / 32)] - 127);
        });
        floats[name] = f32(shape, values);
        const bytes = Uint8Array.from({ length: codes.length / 2 }, (_, at) => codes[2 * at] | (codes[2 * at + 1] << 4));
        packed[`${name}_blocks`] = { dtype: 'U8', shape: [...size, 16], data: bytes };
        packed[`${name}_scales`] = { dtype: 'U8', shape: size, data: Uint8Array.from(exponents) };
      }
    }
    writeFileSync(join(plain, 'model.safetensors'), safetensorsFile(floats));
    writeFileSync(join(quantised, 'model.safetensors'), safetensorsFile(packed));
    const config = JSON.parse(readFileSync(join(quantised, 'config.json'), 'utf8')) as object;
    const stated = { quant_method: 'mxfp4', modules_to_not_convert: ['model.layers.*.self_attn', 'lm_head'] };
    writeFileSync(join(quantised, 'config.json'), JSON.stringify({ ...config, quantization_config: stated }));
    [plain, quantised].forEach((each) => writeTinyTokenizer(each, 285, false));
    const [own, expected] = [await measured(quantised), await measured(plain)];
    expect(own.quality).not.toBeNull();
    expect(own.quality).toEqual(expected.quality);
    expect(own.plan.notes.join()).toContain('Weights are stored as MXFP4 and run in float32');
  });

  it('is listed with its format where that is not read', async () => {
    const folder = copyOf('llama');
    writeTinyTokenizer(folder, 285, false);
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
    const bitsandbytes = { quant_method: 'bitsandbytes', load_in_4bit: true, bnb_4bit_quant_type: 'nf4' };
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, quantization_config: bitsandbytes }));
    const { stores } = emptyStores();
    storeInHub(stores.hub, 'org/nf4', revisions.first, folder);
    const [listed] = await listModels('', stores);
    expect(listed).toMatchObject({ format: 'safetensors bitsandbytes NF4', use: 'plans' });
    expect(listed.reason).toMatch(/stored as bitsandbytes NF4, which is not read; use the model's own checkpoint/);
  });
});

/** A run of a model under windows, with its quality against its own attention. */
async function measured(model: string): Promise<RunReport> {
  writeTinyTokenizer(model, 285, false);
  const prompt = promptFromText('p.md', Array.from({ length: 40 }, (_, index) => `w${(index * index) % 31}`).join(' '));
  const options = { ...defaultOptions, model, scenario: makeScenario('sliding-window', { window: 7 }), blockSize: 8 };
  return simulate(prompt, options, {
    modelsFolder,
    calibrations: new CalibrationStore('/nonexistent'),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
}
