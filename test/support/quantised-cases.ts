import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths';
import type { StoredTensor } from './safetensors-writer';

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
