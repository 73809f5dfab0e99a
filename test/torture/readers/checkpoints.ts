import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAdapterConfig } from '../../../src/engine/read/model/adapter/config';
import { openModel } from '../../../src/engine/read/model/load';
import { SafetensorsFile } from '../../../src/engine/read/model/safetensors';
import { CheckpointFiles } from '../../../src/engine/read/model/shards';
import type { Weight } from '../../../src/engine/read/model/weights';
import { mutatedJson, mutatedText, type Next, outcomeOf, pick } from '../../support/mutate';
import { modelsFolder, root } from '../../support/paths';
import { f32, safetensorsBytes, safetensorsFile } from '../../support/safetensors-writer';
import type { Reader } from './reader';

const tensors = { a: f32([2, 3], [1, 2, 3, 4, 5, 6]), b: f32([4], [7, 8, 9, 10]), 'c.weight': f32([1], [11]) };

const words = ['dtype', 'shape', 'data_offsets', '__metadata__', 'F32', 'F16', 'BF16', 'I64', 'F8_E4M3', 'a', 'b', 'format', 'pt'];

/** A tensor that was read has its shape's numbers, all of them finite. */
function checkWeight({ shape, data }: Weight): void {
  if (data.length !== shape.reduce((product, size) => product * size, 1) || !data.every(Number.isFinite)) {
    throw new Error(`This is no weight: [${shape.join()}] of ${data.length} numbers`);
  }
}

function spoiltSafetensors(next: Next): Buffer {
  const bytes = safetensorsFile(tensors);
  const end = 8 + Number(bytes.readBigUInt64LE());
  const header: unknown = JSON.parse(bytes.subarray(8, end).toString());
  const text = next(4) === 0 ? mutatedText(JSON.stringify(header), next, words) : mutatedJson(header, next, words);
  const whole = safetensorsBytes(text, bytes.subarray(end), next(8) === 0 ? BigInt(next(2 ** 31)) << BigInt(next(33)) : undefined);
  return next(8) === 0 ? whole.subarray(0, next(whole.length)) : whole;
}

/** Single files. */
export const safetensors: Reader = {
  title: 'safetensors files',
  share: 40,
  open: (folder) => {
    const path = join(folder, 'model.safetensors');
    return Promise.resolve(async (next) => {
      writeFileSync(path, spoiltSafetensors(next));
      const file = await SafetensorsFile.open(path);
      for (const name of file.names) {
        const { value } = await outcomeOf(() => file.read(name));
        if (value !== undefined) {
          checkWeight(value);
        }
      }
      return 'read';
    });
  },
};

/** Indexes of sharded checkpoints, which may name files anywhere. */
export const shardIndexes: Reader = {
  title: 'indexes of sharded checkpoints',
  share: 25,
  open: (folder) => {
    const own = join(folder, 'model');
    mkdirSync(own);
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    writeFileSync(join(own, shards[0]), safetensorsFile({ a: tensors.a }));
    writeFileSync(join(own, shards[1]), safetensorsFile({ b: tensors.b }));
    const index = { metadata: { total_size: 40 }, weight_map: { a: shards[0], b: shards[1] } };
    const places = [...shards, '/etc/passwd', '../secret.safetensors', '/root/x.safetensors', '..', 'C:\\x.safetensors', '.', 'weight_map'];
    return Promise.resolve(async (next) => {
      writeFileSync(join(own, 'model.safetensors.index.json'), mutatedJson(index, next, places));
      const files = await CheckpointFiles.open(own);
      for (const name of files.names) {
        checkWeight(files.read(name));
      }
      return 'read';
    });
  },
};

/** Weights of the adapter `lora`, of rank 4 and for values 2, for the six layers of `tiny-docs-5m`. */
function loraTensors(): Parameters<typeof safetensorsFile>[0] {
  const of = (rows: number, columns: number): ReturnType<typeof f32> => f32([rows, columns], new Array<number>(rows * columns).fill(0.01));
  return Object.fromEntries(
    Array.from({ length: 6 }, (_, layer) => `base_model.model.model.layers.${layer}.self_attn`).flatMap((name) => [
      [`${name}.q_proj.lora_A.weight`, of(4, 256)],
      [`${name}.q_proj.lora_B.weight`, of(256, 4)],
      [`${name}.v_proj.lora_A.weight`, of(2, 256)],
      [`${name}.v_proj.lora_B.weight`, of(128, 2)],
    ]),
  );
}

/** Configurations of adapters, by themselves and with the way to their base. */
export const adapters: Reader = {
  title: 'adapters',
  share: 25,
  open: (folder) => {
    const fixtures = ['lora', 'rslora', 'layers', 'all-linear', 'gpt2'].map((name): unknown =>
      JSON.parse(readFileSync(join(root, 'test', 'fixtures', 'adapters', name, 'adapter_config.json'), 'utf8')),
    );
    // Of one that was fetched, the path to the base is another's.
    const own = join(folder, 'models--a--b', 'snapshots', 'c');
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'adapter_model.safetensors'), safetensorsFile(loraTensors()));
    // The first one and its weights fit the base, so that more than refusals is tried.
    const fitting = { ...(fixtures[0] as object), base_model_name_or_path: 'tiny-docs-5m' };
    const stores = { hub: join(folder, 'hub'), lmStudio: [join(folder, 'lm')], ollama: [join(folder, 'ollama')] };
    const vocabulary = [
      ...['r', 'lora_alpha', 'target_modules', 'use_rslora', 'use_dora', 'bias', 'all', 'none', 'base_model_name_or_path', 'tiny-docs-5m'],
      ...[
        'rank_pattern',
        'alpha_pattern',
        'layers_to_transform',
        '(a|aa)+$',
        '.*',
        '[',
        'LORA',
        'peft_type',
        '/etc',
        '//host/x',
        '../../..',
      ],
    ];
    return Promise.resolve(async (next) => {
      writeFileSync(join(own, 'adapter_config.json'), mutatedJson(next(2) === 0 ? fitting : pick(fixtures, next), next, vocabulary));
      await readAdapterConfig(own);
      await openModel(own, modelsFolder, stores);
      return 'read';
    });
  },
};
