import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SafetensorsFile } from '../../../../src/engine/read/model/safetensors';
import type { Weight } from '../../../../src/engine/read/model/weights';
import { f32, safetensorsBytes, safetensorsFile } from '../../../support/safetensors-writer';
import { temporaryFolder } from '../../../support/temporary';
import { deepJson, nastyStrings, outcomeOf, refusalOf } from './outcome';

function write(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'model.safetensors');
  writeFileSync(path, bytes);
  return path;
}

/** Every tensor of a file. */
async function readAll(path: string): Promise<ReadonlyMap<string, Weight>> {
  const file = await SafetensorsFile.open(path);
  const tensors = new Map<string, Weight>();
  for (const name of file.names) {
    tensors.set(name, file.read(name));
  }
  return tensors;
}

/** A file of one tensor of 8 bytes, whose header entry is this JSON. */
const entry = (json: string): Buffer => safetensorsBytes(`{"a":${json}}`, new Uint8Array(8));
const at = (offsets: string): Buffer => entry(`{"dtype":"F32","shape":[2],"data_offsets":${offsets}}`);
const shaped = (shape: string): Buffer => entry(`{"dtype":"F32","shape":${shape},"data_offsets":[0,8]}`);
const millionTensors = (): Buffer =>
  safetensorsBytes(
    `{${Array.from({ length: 1_000_000 }, (_, index) => `"t${index}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`).join()}}`,
  );

describe('a safetensors header that lies', () => {
  it.each<[string, () => Uint8Array, RegExp]>([
    ['an end beyond the file', () => at('[0,12]'), /a ends at byte 12 of 8/],
    ['an end beyond any file', () => at(`[0,${Number.MAX_SAFE_INTEGER}]`), /a ends at byte 9007199254740991 of 8/],
    ['an end beyond what numbers hold', () => at('[0,9007199254740993]'), /entry for a is malformed/],
    ['an end at 1e308', () => at('[0,1e308]'), /entry for a is malformed/],
    ['an end that overflows', () => at('[0,1e999]'), /entry for a is malformed/],
    ['a negative beginning', () => at('[-8,0]'), /entry for a is malformed/],
    ['reversed offsets', () => at('[8,0]'), /a begins at byte 8 and ends at byte 0, before it/],
    ['an offset between bytes', () => at('[0.5,8.5]'), /entry for a is malformed/],
    ['three offsets', () => at('[0,8,16]'), /entry for a is malformed/],
    [
      'a shape whose product overflows',
      () => shaped(`[${Array(16).fill(Number.MAX_SAFE_INTEGER).join()}]`),
      /a of shape \[9007199254740991, .*…\] needs .* bytes but has 8/,
    ],
    ['more dimensions than any tensor has', () => shaped(`[${Array(17).fill(1).join()}]`), /entry for a is malformed/],
    ['a dimension of zero before data', () => shaped('[2,0]'), /a of shape \[2, 0\] needs 0 bytes but has 8/],
    ['a negative dimension', () => shaped('[-2]'), /entry for a is malformed/],
    ['a type of another size', () => entry('{"dtype":"F16","shape":[2],"data_offsets":[0,8]}'), /a of shape \[2\] needs 4 bytes but has 8/],
    ['a type with line ends', () => entry('{"dtype":"F\\n32","shape":[2],"data_offsets":[0,8]}'), /a is stored as F\\u\{a\}32/],
    [
      'a type named like a method',
      () => entry('{"dtype":"toString","shape":[2],"data_offsets":[0,8]}'),
      /a is stored as toString; convert/,
    ],
    ['an entry that is a list', () => entry('[]'), /entry for a is malformed/],
    ['an entry that is null', () => entry('null'), /entry for a is malformed/],
    ['deep nesting in an entry', () => entry(deepJson(100_000)), /its header has lists or objects more than 200 deep/],
    ['deep nesting', () => safetensorsBytes(deepJson(100_000)), /its header has lists or objects more than 200 deep/],
    ['a header of null', () => safetensorsBytes('null'), /not a JSON object/],
    ['a header of bytes that are no text', () => safetensorsBytes(Uint8Array.of(0xff, 0xfe, 0x80, 0x0a)), /its header is not JSON/],
    ['a header with control characters', () => safetensorsBytes('\u001b[31m\n\u0000'), /its header is not JSON/],
    ['a length of nothing', () => safetensorsBytes(''), /its header is not JSON/],
    ['no length', () => Buffer.alloc(7), /has 7 bytes and a header needs at least 8/],
    [
      'an overlap of one byte',
      () => safetensorsFile({ a: f32([2], [1, 2]), b: f32([2], [3, 4]) }, (h) => (h.b.data_offsets = [7, 15])),
      /b overlaps another tensor at byte 7/,
    ],
    [
      'a tensor inside another',
      () => safetensorsFile({ a: f32([3], [1, 2, 3]), b: f32([1], [4]) }, (h) => (h.b.data_offsets = [4, 8])),
      /b overlaps another tensor at byte 4/,
    ],
    ['a million tensors', millionTensors, /declares a header of \d+ bytes and 16777216 are allowed/],
  ])('is refused: %s', async (_what, bytes, message) => {
    expect(await refusalOf(() => readAll(write(bytes())))).toMatch(message);
  });

  it.each([2n ** 64n - 1n, 2n ** 63n, 2n ** 53n, 2n ** 32n, 100_000_000n])(
    'is refused where it declares %s bytes, without room for them',
    async (declared) => {
      const before = process.memoryUsage.rss();
      expect(await refusalOf(() => readAll(write(safetensorsBytes('{}', new Uint8Array(), declared))))).toContain(
        `declares a header of ${declared} bytes but has 10 bytes`,
      );
      expect(process.memoryUsage.rss() - before).toBeLessThan(50_000_000);
    },
  );

  it('is refused where a header of 100 MB is really there', async () => {
    const path = write(safetensorsBytes('{}', new Uint8Array(), 100_000_000n));
    truncateSync(path, 200_000_000);
    const before = process.memoryUsage.rss();
    expect(await refusalOf(() => readAll(path))).toMatch(/declares a header of 100000000 bytes and 16777216 are allowed/);
    expect(process.memoryUsage.rss() - before).toBeLessThan(50_000_000);
  });

  it('is refused where a tensor is longer than any array', async () => {
    const bytes = 2 ** 40;
    const path = write(safetensorsBytes(`{"a":{"dtype":"F32","shape":[${bytes / 4}],"data_offsets":[0,${bytes}]}}`));
    truncateSync(path, bytes + 1000);
    expect(await refusalOf(() => readAll(path))).toMatch(/model\.safetensors: a needs 1\.00 TiB in one piece/);
  });
});

describe('a safetensors header that is merely odd', () => {
  const two = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
  it.each<[string, Uint8Array, readonly string[]]>([
    ['a gap, which nothing reads', safetensorsBytes('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', new Uint8Array(12)), ['a']],
    ['no tensor', safetensorsBytes('{}'), []],
    ['metadata of any kind', safetensorsBytes(`{"__metadata__":[{"deep":[null,1e999]}],"a":${two}}`, new Uint8Array(8)), ['a']],
    ['a key twice: the last one counts', safetensorsBytes(`{"a":{"dtype":"I64"},"a":${two}}`, new Uint8Array(8)), ['a']],
    [
      'a scalar, and an empty tensor',
      safetensorsBytes(
        '{"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"e":{"dtype":"F32","shape":[0,9],"data_offsets":[4,4]}}',
        new Uint8Array(4),
      ),
      ['s', 'e'],
    ],
    [
      'names of what objects inherit',
      safetensorsBytes(`{"__proto__":${two},"constructor":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}`, new Uint8Array(8)),
      ['__proto__', 'constructor'],
    ],
  ])('is read: %s', async (_what, bytes, names) => {
    const { value } = await outcomeOf(() => readAll(write(bytes)));
    expect([...(value?.keys() ?? ['refused'])].sort()).toEqual([...names].sort());
  });

  it.each(nastyStrings.map((name) => [JSON.stringify(name.slice(0, 20)), name]))(
    'names no tensor that breaks a message: %s',
    async (_what, name) => {
      const header = JSON.stringify({ [name]: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } });
      expect(await refusalOf(() => readAll(write(safetensorsBytes(header, new Uint8Array(Float32Array.of(NaN).buffer)))))).toMatch(
        /holds NaN at element 0/,
      );
      expect(await refusalOf(() => readAll(write(safetensorsBytes(header))))).toMatch(/ends at byte 4 of 0/);
    },
  );
});
