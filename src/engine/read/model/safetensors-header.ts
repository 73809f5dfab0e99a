import type { FileHandle } from 'node:fs/promises';
import * as z from 'zod';
import { InputError } from '../../../core/errors';
import { said } from '../../../core/l10n';
import { elementsOf } from './weights';
import { parseJson } from '../input/json';
import { readInto } from '../input/regular-file';
import { shown } from '../../../core/text/printable';

/**
 * Size limit of a header, in bytes: enough for 150,000 tensors.
 *
 * The format allows 100 MB, but a malicious JSON of that size becomes 5 GB of objects.
 */
const maximumHeaderBytes = 16 * 1024 * 1024;

/** Bytes per element of the types that are floats as they are. */
export const elementBytes = { F16: 2, BF16: 2, F32: 4 } as const;

/** Bytes per element of the types that parts of quantised weights have: codes, and integers into which several are packed. */
const packedBytes: Readonly<Record<string, number>> = { F8_E4M3: 1, F8_E5M2: 1, U8: 1, U32: 4, I32: 4 };

const offset = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const tensorSchema = z.object({
  dtype: z.string().max(32),
  shape: z.array(offset).max(16),
  data_offsets: z.tuple([offset, offset]),
});

/** A tensor's position in its file, from the header and checked against the layout. */
export type TensorEntry = z.infer<typeof tensorSchema>;

/** A validated header. */
interface SafetensorsHeader {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /** Where the bytes of tensors begin; tensor offsets are relative to it. */
  readonly dataStart: number;
}

/** Whether the numbers of a type are floats as they are stored. */
export function isSupported(dtype: string): dtype is keyof typeof elementBytes {
  return Object.hasOwn(elementBytes, dtype);
}

/**
 * Reads the header of an open safetensors file.
 *
 * @param size the file's bytes
 * @param name named in errors
 * @throws InputError if the file is truncated, or its header has wrong lengths, offsets or overlaps
 */
export async function readHeader(file: FileHandle, size: number, name: string): Promise<SafetensorsHeader> {
  if (size < 8) {
    throw new InputError(`${name} is truncated: it has ${size} bytes and a header needs at least 8; download it again.`);
  }
  const length = Buffer.alloc(8);
  await readInto(file, 0, length, name);
  const declared = length.readBigUInt64LE();
  if (8n + declared > BigInt(size)) {
    throw new InputError(`${name} declares a header of ${declared} bytes but has ${size} bytes; download it again.`);
  }
  if (declared > BigInt(maximumHeaderBytes)) {
    throw new InputError(`${name} declares a header of ${declared} bytes and ${maximumHeaderBytes} are allowed; use another model.`);
  }
  const text = Buffer.alloc(Number(declared));
  await readInto(file, 8, text, name);
  const entries = parseHeader(text.toString('utf8'), name);
  const dataStart = 8 + text.length;
  checkLayout(entries, size - dataStart, name);
  return { entries, dataStart };
}

function parseHeader(text: string, name: string): ReadonlyMap<string, TensorEntry> {
  const parsed = parseJson(text, said`${name}: its header`, said`download it again`);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new InputError(`${name} has a header that is not a JSON object; download it again.`);
  }
  const entries = new Map<string, TensorEntry>();
  for (const [key, value] of Object.entries(parsed)) {
    if (key !== '__metadata__') {
      const entry = tensorSchema.safeParse(value);
      if (!entry.success) {
        throw new InputError(`${name}: the header's entry for ${shown(key)} is malformed; download it again.`);
      }
      entries.set(key, entry.data);
    }
  }
  return entries;
}

/**
 * Every tensor must lie inside the file, overlap no other, and be as long as its shape says. Gaps are harmless: they are
 * never read.
 */
function checkLayout(entries: ReadonlyMap<string, TensorEntry>, dataBytes: number, name: string): void {
  let end = 0;
  const byOffset = [...entries].sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);
  for (const [
    key,
    {
      dtype,
      shape,
      data_offsets: [from, to],
    },
  ] of byOffset) {
    const tensor = shown(key);
    if (from > to) {
      throw new InputError(`${name}: ${tensor} begins at byte ${from} and ends at byte ${to}, before it; download it again.`);
    }
    if (to > dataBytes) {
      throw new InputError(`${name}: ${tensor} ends at byte ${to} of ${dataBytes}; the file is truncated, download it again.`);
    }
    if (from < end) {
      throw new InputError(`${name}: ${tensor} overlaps another tensor at byte ${from}; download it again.`);
    }
    // A tensor of another type may be in the file as long as nothing reads it.
    const size = isSupported(dtype) ? elementBytes[dtype] : Object.hasOwn(packedBytes, dtype) ? packedBytes[dtype] : undefined;
    const expected = size === undefined ? to - from : size * elementsOf(shape);
    if (to - from !== expected) {
      throw new InputError(
        `${name}: ${tensor} of shape [${shown(shape.join(', '))}] needs ${expected} bytes but has ${to - from}; download it again.`,
      );
    }
    end = to;
  }
}
