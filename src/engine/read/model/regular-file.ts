import { constants } from 'node:fs';
import { access, open, type FileHandle } from 'node:fs/promises';
import { InputError, messageOf } from '../../../core/errors';
import { formatBytes } from '../../../core/format';
import { shown } from '../../../core/text/printable';

/** A file of a model's folder, open for reading. */
interface RegularFile {
  readonly file: FileHandle;
  readonly size: number;
}

/**
 * Opens a file of a model's folder for reading, if it is a regular one.
 *
 * A folder from elsewhere may hold a named pipe, or a link to a device: a plain open waits for the pipe's writer for ever,
 * and a device has no end. So nothing waits on the open, and the open file itself is asked what it is.
 *
 * @param fix what to do about a file that is not there; it ends the message
 * @throws InputError that names the path
 */
export async function openRegularFile(path: string, fix: string): Promise<RegularFile> {
  // Windows has no O_NONBLOCK, and no pipes in folders: there it is undefined, which is 0 here.
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
 * @param maximumBytes a larger file is refused before it is read
 * @param fix what to do about a file that is not there, and `repair` about one that is broken
 * @throws InputError that names the path, and the size where that is the fault
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

/** Whether there is something at a path. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Bytes that one read asks for at most: Node refuses more than 2 GiB. */
export const pieceBytes = 64 * 1024 * 1024;

/** Fills `target` from a file. @throws InputError where the file ends before, or cannot be read */
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

/** Why a file cannot be read, without its path, which the message has already: `ENOENT: no such file or directory`. */
function reasonOf(error: unknown): string {
  return shown(messageOf(error).split(', ')[0]);
}
