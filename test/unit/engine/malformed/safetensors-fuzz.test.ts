import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SafetensorsFile } from '../../../../src/engine/read/model/safetensors';
import { safetensorsBytes } from '../../../support/safetensors-writer';
import { temporaryFolder } from '../../../support/temporary';
import { nastyStrings, outcomeOf } from './outcome';

const seed = 20_250_101;

/** Numbers near what a small file has, and far from it. */
const count = fc.oneof(
  { weight: 6, arbitrary: fc.nat(24) },
  { weight: 3, arbitrary: fc.constantFrom(0, 4, 8, 16) },
  { weight: 1, arbitrary: fc.constantFrom(-1, -0, 0.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e308) },
);
const name = fc.oneof(fc.string({ minLength: 1, maxLength: 5 }), fc.constantFrom('a', 'b', '__metadata__', ...nastyStrings));
const entry = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      dtype: fc.constantFrom('F32', 'F32', 'F16', 'BF16', 'I64', 'f32', ''),
      shape: fc.array(count, { maxLength: 3 }),
      data_offsets: fc.tuple(count, count),
    }),
  },
  // One that is right by itself, so that some files are read: floats from a multiple of four on.
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.nat(4), fc.nat(4))
      .map(([from, length]) => ({ dtype: 'F32', shape: [length], data_offsets: [4 * from, 4 * (from + length)] })),
  },
  { weight: 1, arbitrary: fc.jsonValue() },
);
const header = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .array(fc.tuple(name, entry), { maxLength: 4 })
      .map((pairs) => `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join()}}`),
  },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);
/** Mostly the header's own. */
const declaredLength = fc.oneof(
  { weight: 8, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
);

it('a safetensors file of any header is refused, or gives the numbers that lie where it says', async () => {
  const path = join(temporaryFolder(), 'model.safetensors');
  let read = 0;
  await fc.assert(
    fc.asyncProperty(header, fc.uint8Array({ minLength: 16, maxLength: 64 }), declaredLength, async (text, data, declared) => {
      writeFileSync(path, safetensorsBytes(text, data, declared));
      const { value: file } = await outcomeOf(() => SafetensorsFile.open(path));
      for (const tensor of file?.names ?? []) {
        const { value } = await outcomeOf(() => (file as SafetensorsFile).read(tensor));
        if (value !== undefined) {
          read += 1;
          expect(value.data.length).toBe(value.shape.reduce((product, size) => product * size, 1));
          expect(value.data.every(Number.isFinite)).toBe(true);
          const {
            dtype,
            data_offsets: [from, to],
          } = (JSON.parse(text) as Record<string, { dtype: string; data_offsets: [number, number] }>)[tensor];
          if (dtype === 'F32') {
            expect(Buffer.from(value.data.buffer)).toEqual(Buffer.from(data.slice(from, to)));
          }
        }
      }
      await file?.close();
    }),
    { numRuns: 2000, seed },
  );
  expect(read).toBeGreaterThan(100);
});
