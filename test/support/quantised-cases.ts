import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths';
import { safetensorsFile, type StoredTensor } from './safetensors-writer';
import { temporaryFolder } from './temporary';

/** Quantised checkpoints: see test/golden/quantised.py. */
export const quantisedFolder = join(root, 'test', 'fixtures', 'quantised');

/** The tensors of one of them, as they are stored. */
export function quantisedTensors(name: string): Record<string, StoredTensor> {
  const file = readFileSync(join(quantisedFolder, name, 'model.safetensors'));
  const start = 8 + Number(file.readBigUInt64LE());
  const header = JSON.parse(file.subarray(8, start).toString()) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return Object.fromEntries(
    Object.entries(header).map(
      ([
        tensor,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => [tensor, { dtype, shape, data: new Uint8Array(file.subarray(start + from, start + to)) }],
    ),
  );
}

export type Tensors = Record<string, StoredTensor>;
export type Config = Record<string, unknown>;

/** A quantised model with another configuration, or other tensors. */
export function spoilt(name: string, change: (tensors: Tensors, config: Config) => unknown): string {
  const folder = join(temporaryFolder(), 'model');
  cpSync(join(quantisedFolder, name), folder, { recursive: true });
  const tensors = quantisedTensors(name);
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Config;
  change(tensors, config);
  writeFileSync(join(folder, 'model.safetensors'), safetensorsFile(tensors));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}
