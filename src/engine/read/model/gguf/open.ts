import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { InputError } from '../../../../core/errors';
import { shown } from '../../../../core/text/printable';
import type { ReadConfig } from '../architecture';
import { ggufParts } from '../found/folders';
import { ggufConfig } from './config';
import { type GgufTensor, readGgufHeader } from './header';
import { bytesOf, typeName } from './types';

/** What a GGUF file says that a plan needs. */
interface OpenedGguf {
  readonly config: ReadConfig;
  readonly storedBytes: number;
  readonly storedType: string;
}

/**
 * Reads the header of a GGUF file: the first of its files, if there are several (`-00001-of-00003.gguf`), and of the others
 * which tensors they hold.
 *
 * @throws InputError if one is missing or broken, or the model cannot be planned
 */
export async function openGguf(path: string): Promise<OpenedGguf> {
  const first = await readGgufHeader(path, path);
  const tensors = [...first.tensors];
  let storedBytes = 0;
  for (const [index, part] of partsOf(path, first.metadata.get('split.count')).entries()) {
    if (index > 0) {
      tensors.push(...(await readGgufHeader(part, part)).tensors);
    }
    storedBytes += (await stat(part)).size;
  }
  const config = ggufConfig({ ...first, tensors }, path);
  return { config, storedBytes, storedType: mainType(tensors) };
}

/** The files of the model. A file under the name of one of several may be whole. */
function partsOf(path: string, count: unknown): readonly string[] {
  const parts = ggufParts(path);
  const expected = typeof count === 'number' && count > 1 ? count : 1;
  if (expected === 1) {
    return [path];
  }
  if (parts.length !== expected) {
    throw new InputError(
      `${shown(basename(path), 100)} is one of ${expected} files, which its name does not say; restore the names that they had.`,
    );
  }
  return parts;
}

/** The type in which most bytes are stored. */
function mainType(tensors: readonly GgufTensor[]): string {
  const bytes = new Map<number, number>();
  for (const { type, elements, shape } of tensors) {
    bytes.set(type, (bytes.get(type) ?? 0) + (bytesOf(type, elements, shape[0] ?? 1) ?? elements));
  }
  const [largest] = [...bytes].sort(([, one], [, other]) => other - one);
  return (largest as typeof largest | undefined) === undefined ? 'no tensors' : typeName(largest[0]);
}
