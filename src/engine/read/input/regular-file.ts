import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { lstat, open, stat, type FileHandle } from 'node:fs/promises';
import { InputError, messageOf } from '../../../core/errors';
import { text } from '../../../core/l10n';
import { shown } from '../../../core/text/printable';

/** An open file. */
interface RegularFile {
  readonly file: FileHandle;
  /** Bytes when it was opened: it may grow, and files of the kernel say 0. */
  readonly size: number;
}

/**
 * Opens a file for reading, if it is a regular file.
 *
 * A folder from elsewhere may contain a named pipe, or a link to a device: a plain open would wait for the pipe's writer
 * forever, and a device has no end. So the type is checked before, the open does not block, and the type is checked again
 * on the open file itself.
 *
 * @param fix what to do about a file that cannot be read; the end of the message
 * @throws InputError that names the path, and what is there instead of a file
 */
export function openRegularFile(path: string, fix: string): Promise<RegularFile> {
  return openIfRegular(path, constants.O_RDONLY, path, text('cannot be read'), fix);
}

/**
 * Opens a file to append to it and to look at its end, which is made where it is missing; like `openRegularFile`, it opens
 * regular files only.
 *
 * @param name names the file in errors, such as `--results x.jsonl`
 * @throws InputError that ends with the fix
 */
export async function openToAppend(path: string, name: string, fix: string): Promise<RegularFile> {
  return openIfRegular(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, name, text('cannot be used'), fix);
}

/** Opens a file to read it and write on in it, which is made where it is missing, but no link; else like `openRegularFile`. */
export function openToContinue(path: string, fix: string): Promise<RegularFile> {
  return openIfRegular(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, path, text('cannot be written'), fix);
}

/**
 * Makes a file that is not there yet, for writing.
 *
 * @returns undefined where something is at the path already: of all processes that try, one makes it
 * @throws file system errors
 */
export async function openNew(path: string): Promise<FileHandle | undefined> {
  return open(path, 'wx').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return undefined;
    }
    throw error;
  });
}

async function openIfRegular(path: string, flags: number, name: string, cannot: string, fix: string): Promise<RegularFile> {
  const refuseOther = (found: Stats): void => {
    if (!found.isFile()) {
      throw new InputError(`${name} is not a file but ${kindOf(found)}; ${fix}.`);
    }
  };
  const before = await stat(path).catch(() => undefined);
  if (before !== undefined) {
    refuseOther(before);
  } else if ((flags & constants.O_CREAT) !== 0 && (await isLink(path))) {
    // A file would be made wherever it leads.
    throw new InputError(`${name} ${cannot} (a link that leads nowhere); ${fix}.`);
  }
  // Windows has neither O_NONBLOCK nor pipes in folders: the constant is undefined there, which counts as 0.
  const file = await open(path, flags | constants.O_NONBLOCK).catch(async (error: unknown) => {
    const reason = before === undefined && (await isLink(path)) ? `a link that leads nowhere, ${reasonOf(error)}` : reasonOf(error);
    throw new InputError(`${name} ${cannot} (${reason}); ${fix}.`);
  });
  try {
    const found = await file.stat();
    refuseOther(found);
    return { file, size: found.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What is at a path that holds no regular file. */
function kindOf(found: Stats): string {
  if (found.isDirectory()) {
    return text('a folder');
  }
  if (found.isFIFO()) {
    return text('a named pipe');
  }
  return found.isSocket() ? text('a socket') : text('a device');
}

function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
}

/** Whether something is at a path. A link that leads nowhere counts: a file that may be missing must not be passed over then. */
export function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Most and fewest bytes in a piece of a file that is read from beginning to end. */
const streamedBytes = 1024 * 1024;
const smallBytes = 4096;

/**
 * The bytes of a regular file from beginning to end, in pieces; it is closed when the reader stops.
 *
 * @param checkSize takes the file's bytes before any is read, to refuse it
 * @param from the byte at which reading begins
 * @throws InputError that names the path
 */
export async function* readPieces(path: string, fix: string, checkSize?: (bytes: number) => void, from = 0): AsyncGenerator<Uint8Array> {
  const { file, size } = await openRegularFile(path, fix);
  try {
    checkSize?.(size);
    for (let position = from; ;) {
      const piece = new Uint8Array(Math.min(Math.max(size - from, smallBytes), streamedBytes));
      const { bytesRead } = await file.read(piece, 0, piece.length, position).catch((error: unknown) => {
        throw new InputError(`${path} cannot be read (${reasonOf(error)}); ${fix}.`);
      });
      if (bytesRead === 0) {
        return;
      }
      position += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
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

/**
 * A regular file that was looked at once and is opened anew for each reading, so that nothing has to close it. What it reads is what
 * was looked at: a file that changed since is refused.
 */
export class UnchangedFile {
  private constructor(
    private readonly path: string,
    private readonly found: Pick<Stats, 'size' | 'mtimeMs' | 'ino'>,
  ) {}

  /** @param file opened from that path */
  static async of(path: string, file: FileHandle): Promise<UnchangedFile> {
    return new UnchangedFile(path, await file.stat());
  }

  /** Looks at a file. @throws InputError as `openRegularFile` does */
  static async find(path: string, fix: string): Promise<UnchangedFile> {
    const { file } = await openRegularFile(path, fix);
    try {
      return await UnchangedFile.of(path, file);
    } finally {
      await file.close();
    }
  }

  /**
   * Gives all bytes from `position` to `end`, in pieces of at most `pieceSize` bytes, each of which the next one overwrites.
   *
   * @param name of what is read, in errors
   * @throws InputError if the file changed, ends early, or cannot be read
   */
  readPieces(position: number, end: number, pieceSize: number, name: string, each: (piece: Uint8Array, before: number) => void): void {
    const piece = new Uint8Array(Math.min(pieceSize, end - position));
    this.opened(name, (file) => {
      for (let at = position; at < end; at += piece.length) {
        const part = piece.subarray(0, Math.min(piece.length, end - at));
        fill(file, at, part, name);
        each(part, at - position);
      }
    });
  }

  /** Fills `target`. @throws InputError as `readPieces` does */
  readInto(position: number, target: Uint8Array, name: string): void {
    this.opened(name, (file) => fill(file, position, target, name));
  }

  private opened(name: string, read: (file: number) => void): void {
    const file = orRefuse(name, () => openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK));
    try {
      const { size, mtimeMs, ino } = this.found;
      const now = fstatSync(file);
      if (!now.isFile() || now.size !== size || now.mtimeMs !== mtimeMs || now.ino !== ino) {
        throw new InputError(`${name} cannot be read (the file has changed since it was opened); start again.`);
      }
      read(file);
    } finally {
      closeSync(file);
    }
  }
}

/** Fills `target` from an open file. @throws InputError */
function fill(file: number, position: number, target: Uint8Array, name: string): void {
  for (let done = 0; done < target.length;) {
    const length = Math.min(target.length - done, pieceBytes);
    const bytesRead = orRefuse(name, () => readSync(file, target, done, length, position + done));
    if (bytesRead === 0) {
      throw new InputError(`${name} ended at byte ${position + done}; the file is truncated, download it again.`);
    }
    done += bytesRead;
  }
}

function orRefuse<Result>(name: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw new InputError(`${name} cannot be read (${reasonOf(error)}); download it again.`);
  }
}

/** Why a file cannot be read, without its path, which the message already has: `ENOENT: no such file or directory`. */
function reasonOf(error: unknown): string {
  return shown(messageOf(error).split(', ')[0]);
}
