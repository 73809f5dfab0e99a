import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError, messageOf } from '../core/errors';
import { writeWhole as write } from '../engine/store/files';

/**
 * Refuses a path that `writeWhole` could not write, before a long run is made for it.
 *
 * @param flag where the user named the path, for the refusal
 * @throws InputError where the folder is missing or closed, or the path is a folder
 */
export async function checkWritable(path: string, flag = '--out'): Promise<void> {
  await access(dirname(path), constants.W_OK).catch((error: unknown) => {
    throw unwritable(path, messageOf(error), flag);
  });
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) {
    throw unwritable(path, 'it is a folder', flag);
  }
}

/**
 * Writes a file whole or not at all.
 *
 * @param flag where the user named the path, for the refusal
 * @throws InputError where the folder cannot be written
 */
export async function writeWhole(path: string, content: string | Uint8Array | readonly Uint8Array[], flag = '--out'): Promise<void> {
  await write(path, content).catch((error: unknown) => {
    throw unwritable(path, messageOf(error), flag);
  });
}

function unwritable(path: string, reason: string, flag = '--out'): InputError {
  return new InputError(`${flag} ${path} cannot be written (${reason}); give a path in a folder that exists.`);
}
