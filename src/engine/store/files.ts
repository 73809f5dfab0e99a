import { randomUUID } from 'node:crypto';
import { constants, fstatSync, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** File name ending of unfinished files. One that remains is left over from a crash. */
export const draftEnding = '.part';

type Content = string | Uint8Array | readonly Uint8Array[];

/**
 * Writes a file atomically, even if the process or the machine stops meanwhile: to a temporary neighbour, which is flushed
 * to disk and then renamed over the target.
 *
 * A link is followed, and what is there keeps its mode and owner. What no rename may replace is written to as it is: a device,
 * a pipe, a file with other names, and the file that the process's own output goes to.
 *
 * @throws file system errors, and an error for a link to nothing and a pipe that nobody reads
 */
export async function writeWhole(path: string, content: Content): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && (!found.isFile() || found.nlink > 1 || isOwnOutput(found))) {
    await writeInto(path, found, content);
    return;
  }
  if (found === undefined && (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true) {
    throw new Error('it is a link to nothing');
  }
  const target = found === undefined ? path : await realpath(path);
  const draft = join(dirname(target), `.${basename(target)}.${randomUUID()}${draftEnding}`);
  try {
    const file = await open(draft, 'wx');
    try {
      if (found !== undefined) {
        await file.chmod(found.mode & 0o7777);
        // Only an administrator may give files away, and needs to keep whose it was.
        await file.chown(found.uid, found.gid).catch(() => undefined);
      }
      await writeFile(file, content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Whether the process's output or errors go to this file, as with `--out /dev/stdout > file`. */
function isOwnOutput({ dev, ino }: Stats): boolean {
  return [1, 2].some((descriptor) => {
    try {
      const own = fstatSync(descriptor);
      return own.isFile() && own.dev === dev && own.ino === ino;
    } catch {
      return false;
    }
  });
}

/** Writes to what is there. @throws if it is a pipe that nobody reads, where opening would wait for ever */
async function writeInto(path: string, found: Stats, content: Content): Promise<void> {
  const { O_WRONLY, O_NONBLOCK, O_APPEND, O_TRUNC } = constants;
  const how = found.isFIFO() ? O_NONBLOCK : isOwnOutput(found) ? O_APPEND : O_TRUNC;
  const file = await open(path, O_WRONLY | how).catch((error: unknown) => {
    throw hasCode(error, 'ENXIO') ? new Error('it is a pipe that nobody reads') : error;
  });
  try {
    await (found.isFIFO() ? writePipe(file, content) : writeFile(file, content));
  } finally {
    await file.close();
  }
}

/** A pipe that was opened without waiting takes what there is room for: it is asked again until all is there. */
async function writePipe(file: FileHandle, content: Content): Promise<void> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content instanceof Uint8Array ? content : Buffer.concat(content);
  let at = 0;
  while (at < bytes.length) {
    try {
      at += (await file.write(bytes, at)).bytesWritten;
    } catch (error) {
      if (!hasCode(error, 'EAGAIN')) {
        throw error;
      }
      await new Promise((again) => setTimeout(again, 10));
    }
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
