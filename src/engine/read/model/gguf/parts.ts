import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { InputError } from '../../../../core/errors';
import { quoted, shown } from '../../../../core/text/printable';
import { ggufParts } from '../found/folders';
import { type GgufHeader, type GgufTensor, maximumTensors, readGgufHeader } from './header';
import { bytesOf, typeName } from './types';

/** A tensor, and the file that has it. */
export interface PlacedTensor extends GgufTensor {
  readonly file: string;
}

/** What all files of a model say before their tensors. */
export interface GgufModel extends GgufHeader {
  readonly tensors: readonly PlacedTensor[];
  readonly fileBytes: number;
}

/**
 * Reads the headers of a GGUF model: of its file, or of the first of several (`-00001-of-00003.gguf`), and of the others which
 * tensors they hold.
 *
 * @throws InputError if a file is missing or broken, or two have a tensor of the same name
 */
export async function readGguf(path: string): Promise<GgufModel> {
  const { metadata, tensors: own } = await readGgufHeader(path, path);
  const tensors = new Map<string, PlacedTensor>();
  let fileBytes = 0;
  for (const [index, file] of partsOf(path, metadata.get('split.count')).entries()) {
    const held = index === 0 ? own : (await readGgufHeader(file, file)).tensors;
    if (tensors.size + held.length > maximumTensors) {
      throw new InputError(
        `${file}: the files up to this one have more than ${maximumTensors} tensors, which is the limit; use another model.`,
      );
    }
    for (const tensor of held) {
      if (tensors.has(tensor.name)) {
        throw new InputError(`${file} has the tensor ${quoted(tensor.name)}, which another file of the model has; download it again.`);
      }
      tensors.set(tensor.name, { ...tensor, file });
    }
    fileBytes += (await stat(file)).size;
  }
  return { metadata, tensors: [...tensors.values()], fileBytes };
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

/** The type in which most bytes are stored; undefined if there are no tensors. */
export function mainType(tensors: readonly GgufTensor[]): string | undefined {
  const bytes = new Map<number, number>();
  for (const { type, elements, shape } of tensors) {
    bytes.set(type, (bytes.get(type) ?? 0) + (bytesOf(type, elements, shape[0] ?? 1) ?? elements));
  }
  const largest = [...bytes].sort(([, one], [, other]) => other - one).at(0);
  return largest && typeName(largest[0]);
}
