import { randomUUID } from 'node:crypto';
import { constants, fstatSync, type Stats, writeSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError, messageOf } from '../../core/errors';
import { said } from '../../core/l10n';
import { openToAppend } from '../read/input/regular-file';

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
    throw new Error(said`it is a link to nothing`);
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

/**
 * What writes text whole to an open file, and throws file system errors; undefined for a descriptor of anything else.
 *
 * Node's own streams write to a file only as much as the system takes: on a disk that has room for the beginning of a text,
 * they leave out the rest without an error.
 */
export function fileWriter(descriptor: number): ((text: string) => void) | undefined {
  try {
    if (!fstatSync(descriptor).isFile()) {
      return undefined;
    }
  } catch {
    return undefined;
  }
  return (text) => {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length;) {
      written += writeSync(descriptor, bytes, written);
    }
  };
}

/** Writes a file that is not there yet. @throws file system errors, also where something is at the path */
export async function writeNew(path: string, content: Content): Promise<void> {
  await writeFile(path, content, { flag: 'wx' });
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
    throw hasCode(error, 'ENXIO') ? new Error(said`it is a pipe that nobody reads`) : error;
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

/**
 * Appends a line to a file of lines, whole or not at all, and flushes it to disk.
 *
 * Where what is there has no end, because a crash cut it short, the line begins with one. What a full disk took of the line is
 * taken back, unless another process has appended meanwhile: the line of that one then begins with an end, as above.
 *
 * @param name names the file in errors
 * @param fix what to do about a file that is none, the end of the message; and `remedy` about a line that does not fit
 * @throws InputError
 */
export async function appendLine(path: string, line: string, name: string, fix: string, remedy: string): Promise<void> {
  const { file, size } = await openToAppend(path, name, fix);
  try {
    const bytes = Buffer.from(`${(await isEnded(file, size)) ? '' : '\n'}${line}\n`);
    let written = 0;
    try {
      // Mostly one write; where the disk takes only a part of it, the next one says why.
      while (written < bytes.length) {
        written += (await file.write(bytes, written)).bytesWritten;
      }
      await file.sync();
    } catch (error) {
      if (written < bytes.length && (await file.stat()).size === size + written) {
        await file.truncate(size);
      }
      throw error;
    }
  } catch (error) {
    throw new InputError(`${name} cannot be written (${messageOf(error)}); ${remedy}.`);
  } finally {
    await file.close();
  }
}

/** Whether a file is empty or its last byte ends a line. */
async function isEnded(file: FileHandle, size: number): Promise<boolean> {
  const last = Buffer.alloc(1);
  return size === 0 || (await file.read(last, 0, 1, size - 1)).bytesRead === 0 || last[0] === 0x0a;
}

/**
 * Makes a folder, and those that it is in.
 *
 * @param name names it in errors
 * @throws InputError where it cannot be made, as where a file has its place
 */
export async function makeFolder(
  path: string,
  name = path,
  fix = said`remove what is in its place, or let this user write there`,
): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw new InputError(`${name} cannot be made (${messageOf(error).split(', ')[0]}); ${fix}.`);
  });
}

/** Removes a file; one that is gone is as well. A link is removed, not what it leads to. @throws file system errors */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
