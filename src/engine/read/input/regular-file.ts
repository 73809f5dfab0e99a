import { constants } from 'node:fs';
import { access, open, type FileHandle } from 'node:fs/promises';
import { InputError, messageOf } from '../../../core/errors';
import { formatBytes } from '../../../core/format';
import { shown } from '../../../core/text/printable';

/** An open file of a model's folder. */
interface RegularFile {
  readonly file: FileHandle;
  readonly size: number;
}

/**
 * Opens a file of a model's folder for reading, if it is a regular file.
 *
 * A folder from elsewhere may contain a named pipe, or a link to a device: a plain open would wait for the pipe's writer
 * forever, and a device has no end. So the open does not block, and the type is checked on the open file itself.
 *
 * @param fix what to do about a missing file; the end of the message
 * @throws InputError that names the path
 */
export async function openRegularFile(path: string, fix: string): Promise<RegularFile> {
  // Windows has neither O_NONBLOCK nor pipes in folders: the constant is undefined there, which counts as 0.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new InputError(`${path} cannot be read (${reasonOf(error)}); ${fix}.`);
  });
  try {
    const found = await file.stat();
    if (!found.isFile()) {
      throw new InputError(`${path} is not a file; ${fix}.`);
    }
    return { file, size: found.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Reads a text file of a model's folder, unless it is larger than any real one.
 *
 * @param maximumBytes a larger file is refused before reading
 * @param fix what to do about a missing file, and `repair` about a broken one
 * @throws InputError that names the path, and the size if that is the fault
 */
export async function readRegularText(path: string, maximumBytes: number, fix: string, repair: string): Promise<string> {
  const { file, size } = await openRegularFile(path, fix);
  try {
    if (size > maximumBytes) {
      throw new InputError(`${path} has ${formatBytes(size)} and ${formatBytes(maximumBytes)} are allowed; ${repair}.`);
    }
    const bytes = Buffer.alloc(size);
    await readInto(file, 0, bytes, path);
    return bytes.toString('utf8');
  } finally {
    await file.close();
  }
}

/** Whether a path exists. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Most bytes per read: Node refuses more than 2 GiB. */
export const pieceBytes = 64 * 1024 * 1024;

/** Fills `target` from a file. @throws InputError if the file ends early, or cannot be read */
export async function readInto(file: FileHandle, position: number, target: Uint8Array, name: string): Promise<void> {
  for (let done = 0; done < target.length;) {
    const { bytesRead } = await file
      .read(target, done, Math.min(target.length - done, pieceBytes), position + done)
      .catch((error: unknown) => {
        throw new InputError(`${name} cannot be read (${reasonOf(error)}); download it again.`);
      });
    if (bytesRead === 0) {
      throw new InputError(`${name} ended at byte ${position + done}; the file is truncated, download it again.`);
    }
    done += bytesRead;
  }
}

/** Why a file cannot be read, without its path, which the message already has: `ENOENT: no such file or directory`. */
function reasonOf(error: unknown): string {
  return shown(messageOf(error).split(', ')[0]);
}
