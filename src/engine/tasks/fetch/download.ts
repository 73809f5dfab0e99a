import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { rename, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledError, InputError, messageOf } from '../../../core/errors';
import type { HubFile } from '../../../core/fetch/offer';
import { formatBytes } from '../../../core/format';
import { said, text } from '../../../core/l10n';
import { shown } from '../../../core/text/printable';
import { openToContinue, readPieces } from '../../read/input/regular-file';
import { kindAt } from '../../read/model/found/folders';
import { type HubConnection, RangeRefused, Unreachable } from './connection';
import { claimPartial, releasePartial, removePartials } from './partial';

/** How often a connection may fail in a row without a byte, and the first pause after one, in milliseconds. */
const attempts = 5;
const firstPauseMs = 500;

/** An answer that is something else than the file. */
class NotTheFile extends InputError {}

/** How a file is fetched. */
export interface Transfer {
  readonly connection: HubConnection;
  readonly signal: AbortSignal;
  /** The file's bytes that are on the disk now. */
  readonly onBytes: (bytes: number) => void;
  /** The first pause after a connection that failed, in milliseconds. */
  readonly pauseMs?: number;
}

/**
 * Fetches a file's content into the cache. What an earlier attempt left is continued, and what this one leaves can be.
 *
 * Two processes may do so at once: each writes to a file of its own, so that nobody changes what was checked, and the content
 * is checked as it is on the disk before it gets its name.
 *
 * @param blob where the content belongs
 * @throws InputError where it cannot be had, is not what it should be, or cannot be written; CancelledError
 */
export async function download(file: HubFile, url: string, blob: string, transfer: Transfer): Promise<void> {
  if ((await kindAt(blob)) === 'folder') {
    throw new InputError(`${blob} is a folder in the place of a file; remove it, then fetch again.`);
  }
  const partial = await claimPartial(blob, file.bytes);
  try {
    const { file: handle, size } = await openToContinue(partial, text('give this folder to the user, or set HF_HUB_CACHE to another'));
    try {
      await fill(handle, size, file, url, transfer);
      await handle.sync().catch((error: unknown) => {
        throw unwritable(file, error);
      });
    } finally {
      await handle.close();
    }
    const digest = await digestOf(partial, file, transfer.signal);
    if (digest !== file.digest.hex) {
      await rm(partial, { force: true });
      throw new InputError(
        `${shown(file.name, 100)} is not what the repository says: its digest is ${digest.slice(0, 12)}..., not ${file.digest.hex.slice(0, 12)}...; it was thrown away, fetch again.`,
      );
    }
    await rename(partial, blob).catch(async (error: unknown) => {
      // Windows replaces no file that is open: another process was faster, and its content is read already.
      if (!(await isWhole(blob, file))) {
        throw unwritable(file, error);
      }
      await rm(partial, { force: true });
    });
  } finally {
    await releasePartial(partial, blob);
  }
  await removePartials(blob);
}

/** Whether a file of the size that the repository says is at a path, links followed. */
export async function isWhole(path: string, { bytes }: HubFile): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile() && found.size === bytes,
    () => false,
  );
}

/** Fetches until all bytes are there, over as many connections as that takes. */
async function fill(handle: FileHandle, from: number, file: HubFile, url: string, transfer: Transfer): Promise<void> {
  const { signal, onBytes, pauseMs = firstPauseMs } = transfer;
  let position = from;
  let highest = from;
  onBytes(position);
  for (let failures = 0; position < file.bytes;) {
    const before = highest;
    const begun = position;
    try {
      for await (const piece of piecesFrom(position, file, url, transfer)) {
        if (piece.at + piece.bytes.length > file.bytes) {
          throw tooLong(file);
        }
        await write(handle, piece.bytes, piece.at, file);
        position = piece.at + piece.bytes.length;
        highest = Math.max(highest, position);
        onBytes(position);
      }
      if (position < file.bytes) {
        throw new Unreachable(
          said`${shown(file.name, 100)} ended after ${formatBytes(position)} of ${formatBytes(file.bytes)}; fetch again to continue.`,
        );
      }
    } catch (error) {
      // A server that begins again and is cut again and again comes to no end: only new bytes count.
      failures = highest > before ? 1 : failures + 1;
      if (error instanceof RangeRefused && position > 0) {
        await handle.truncate(0);
        position = 0;
      } else if (error instanceof NotTheFile) {
        await handle.truncate(begun);
        throw error;
      } else if (!(error instanceof Unreachable)) {
        throw error;
      }
      if (failures >= attempts) {
        throw error;
      }
      await sleep(pauseMs * 2 ** (failures - 1), undefined, { signal }).catch(() => {
        throw new CancelledError();
      });
    }
  }
}

/**
 * The bytes of a file from a place on, or from its beginning where the server does not begin elsewhere.
 *
 * An answer that is something else, such as the page of a network that wants a login, gives no byte: it would be written over
 * what is there.
 */
async function* piecesFrom(
  position: number,
  file: HubFile,
  url: string,
  { connection }: Transfer,
): AsyncGenerator<{ readonly at: number; readonly bytes: Uint8Array }> {
  const { response, body } = await connection.get(url, position === 0 ? {} : { Range: `bytes=${position}-` });
  try {
    const { status, headers } = response;
    const isPacked = !/^(identity)?$/i.test(headers.get('Content-Encoding') ?? '');
    if (status === 206) {
      const range = headers.get('Content-Range');
      const [, begin, end, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(range?.trim() ?? '') ?? [];
      if (isPacked || Number(begin) !== position || Number(end) >= file.bytes || (total !== '*' && Number(total) !== file.bytes)) {
        throw new InputError(
          `${shown(file.name, 100)} was asked for from byte ${position} and came as ${shown(range ?? text('something else'), 60)}; check HF_ENDPOINT, then fetch again.`,
        );
      }
      yield* placed(body, position);
      return;
    }
    const length = isPacked ? null : headers.get('Content-Length');
    if (Number(length) > file.bytes) {
      throw tooLong(file);
    }
    if (status !== 200 || (length !== null && Number(length) !== file.bytes)) {
      throw notTheFile(file, length === null ? `${status}` : formatBytes(Number(length)));
    }
    if (length !== null) {
      yield* placed(body, 0);
      return;
    }
    // Its length is not said: what is there stays until it turns out to be the file.
    let at = 0;
    for await (const piece of body) {
      const isNew = at + piece.length > position;
      if (isNew) {
        yield { at: Math.max(at, position), bytes: piece.subarray(Math.max(0, position - at)) };
      }
      at += piece.length;
    }
    if (at < file.bytes) {
      throw notTheFile(file, formatBytes(at));
    }
  } finally {
    await body.return(undefined);
    // A body of which nothing was read is closed only so.
    await response.body?.cancel().catch(() => undefined);
  }
}

async function* placed(
  body: AsyncGenerator<Uint8Array>,
  from: number,
): AsyncGenerator<{ readonly at: number; readonly bytes: Uint8Array }> {
  let at = from;
  for await (const bytes of body) {
    yield { at, bytes };
    at += bytes.length;
  }
}

function tooLong({ name, bytes }: HubFile): InputError {
  return new InputError(`${shown(name, 100)} has more than the ${formatBytes(bytes)} that the repository says; nothing of it is used.`);
}

function notTheFile({ name, bytes }: HubFile, came: string): NotTheFile {
  return new NotTheFile(
    said`${shown(name, 100)} has ${formatBytes(bytes)} and the answer is ${came}, perhaps a page to log in to the network; fetch again to continue.`,
  );
}

async function write(handle: FileHandle, bytes: Uint8Array, position: number, file: HubFile): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done).catch((error: unknown) => {
      throw unwritable(file, error);
    });
    done += bytesWritten;
  }
}

function unwritable({ name }: HubFile, error: unknown): InputError {
  const { code } = error as NodeJS.ErrnoException;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new InputError(
    `${shown(name, 100)} cannot be written (${full ? 'the disk is full' : shown(messageOf(error), 150)}); ${full ? 'free some space and fetch again: it continues' : 'set HF_HUB_CACHE to a folder that can be written'}.`,
  );
}

/** The digest of a file as its repository would give it. */
async function digestOf(path: string, { bytes, digest: { kind } }: HubFile, signal: AbortSignal): Promise<string> {
  const hash = kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${bytes}\0`);
  for await (const piece of readPieces(path, text('fetch again'))) {
    if (signal.aborted) {
      throw new CancelledError();
    }
    hash.update(piece);
  }
  return hash.digest('hex');
}
