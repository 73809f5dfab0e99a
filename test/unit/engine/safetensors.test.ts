import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors';
import { SafetensorsFile } from '../../../src/engine/read/model/safetensors';
import type { Weight } from '../../../src/engine/read/model/weights';
import { f32, safetensorsFile, type StoredTensor } from '../../support/safetensors-writer';
import { temporaryFolder } from '../../support/temporary';

function write(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'model.safetensors');
  writeFileSync(path, bytes);
  return path;
}

/** Every tensor of a file. */
async function readAll(path: string): Promise<Map<string, Weight>> {
  const file = await SafetensorsFile.open(path);
  const tensors = new Map<string, Weight>();
  for (const name of file.names) {
    tensors.set(name, file.read(name));
  }
  return tensors;
}

const halves = (dtype: string, ...patterns: number[]): StoredTensor => ({
  dtype,
  shape: [patterns.length],
  data: new Uint8Array(Uint16Array.from(patterns).buffer),
});

describe('reading safetensors', () => {
  it('widens F32, F16 and BF16 exactly', async () => {
    const path = write(
      safetensorsFile({
        a: f32([2, 1], [1.5, -2]),
        // 1, -2, the smallest subnormal, the largest finite half
        b: halves('F16', 0x3c00, 0xc000, 0x0001, 0x7bff),
        c: halves('BF16', 0x3f80, 0xc000),
      }),
    );
    const tensors = await readAll(path);
    expect(tensors.get('a')).toEqual({ shape: [2, 1], data: Float32Array.of(1.5, -2) });
    expect([...(tensors.get('b')?.data ?? [])]).toEqual([1, -2, 2 ** -24, 65504]);
    expect([...(tensors.get('c')?.data ?? [])]).toEqual([1, -2]);
  });

  const good = { a: f32([2], [1, 2]), b: f32([2], [3, 4]) };
  const truncated = safetensorsFile(good);
  it.each<[string, Uint8Array, RegExp]>([
    ['a file without a header', Buffer.from('abc'), /has 3 bytes and a header needs at least 8/],
    ['a header longer than the file', Buffer.from('ffffff7f00000000aa', 'hex'), /declares a header of 2147483647 bytes but has 9/],
    ['a header that is not JSON', Buffer.concat([Buffer.from('0200000000000000', 'hex'), Buffer.from('{{')]), /not JSON/],
    ['a header that is a list', Buffer.concat([Buffer.from('0200000000000000', 'hex'), Buffer.from('[]')]), /not a JSON object/],
    [
      'an entry without offsets',
      safetensorsFile(good, (h) => delete (h.a as Partial<typeof h.a>).data_offsets),
      /entry for a is malformed/,
    ],
    ['truncated data', truncated.subarray(0, truncated.length - 4), /b ends at byte 16 of 12; the file is truncated/],
    ['overlapping tensors', safetensorsFile(good, (h) => (h.b.data_offsets = [4, 12])), /b overlaps another tensor at byte 4/],
    ['a shape that lies', safetensorsFile(good, (h) => (h.a.shape = [3])), /a of shape \[3\] needs 12 bytes but has 8/],
    ['a type it does not know', safetensorsFile(good, (h) => (h.a.dtype = 'I8')), /a is stored as I8; convert/],
    ['NaN weights', safetensorsFile({ a: f32([2], [1, NaN]) }), /a holds NaN at element 1; the weights must be finite/],
    ['infinite weights', safetensorsFile({ a: halves('F16', 0x3c00, 0xfc00) }), /a holds -Infinity at element 1/],
  ])('refuses %s', async (_what, bytes, message) => {
    const failure = await readAll(write(bytes)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect((failure as Error).message).toMatch(message);
    expect((failure as Error).message).not.toContain('\n');
  });
});
