import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { rename, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledError, InputError, messageOf } from '../../../core/errors';
import type { HubFile } from '../../../core/fetch/offer';
import { formatBytes } from '../../../core/format';
import { shown } from '../../../core/text/printable';
import { openToContinue, readPieces } from '../../read/input/regular-file';
import { type HubConnection, Unreachable } from './connection';

/** How often a connection may fail in a row without a byte, and the first pause after one, in milliseconds. */
const attempts = 5;
const firstPauseMs = 500;

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
 * Two processes may do so at once: both write the same bytes to the same places of the same file, because its name is its
 * digest, and the content is checked as it is on the disk. The first to end renames it.
 *
 * @throws InputError where it cannot be had, is not what it should be, or cannot be written; CancelledError
 */
export async function download(
  file: HubFile,
  url: string,
  paths: { readonly blob: string; readonly partial: string },
  transfer: Transfer,
): Promise<void> {
  const { blob, partial } = paths;
  const fix = 'give this folder to the user, or set HF_HUB_CACHE to another';
  const { file: handle, size } = await openToContinue(partial, fix);
  try {
    if (size > file.bytes) {
      await handle.truncate(0);
    }
    await fill(handle, size > file.bytes ? 0 : size, file, url, transfer);
    await handle.sync().catch((error: unknown) => {
      throw unwritable(file, error);
    });
  } finally {
    await handle.close();
  }
  if (await isThere(blob)) {
    // Another process was faster.
    await rm(partial, { force: true });
    return;
  }
  const digest = await digestOf(partial, file, transfer.signal);
  if (digest !== file.digest.hex) {
    await rm(partial, { force: true });
    throw new InputError(
      `${shown(file.name, 100)} is not what the repository says: its digest is ${digest.slice(0, 12)}..., not ${file.digest.hex.slice(0, 12)}...; it was thrown away, fetch again.`,
    );
  }
  await rename(partial, blob).catch(async (error: unknown) => {
    if (!(await isThere(blob))) {
      throw unwritable(file, error);
    }
  });
}

/** Fetches until all bytes are there, over as many connections as that takes. */
async function fill(handle: FileHandle, from: number, file: HubFile, url: string, transfer: Transfer): Promise<void> {
  const { signal, onBytes, pauseMs = firstPauseMs } = transfer;
  let position = from;
  onBytes(position);
  for (let failures = 0; position < file.bytes;) {
    const before = position;
    try {
      for await (const piece of piecesFrom(position, file, url, transfer)) {
        if (piece.at + piece.bytes.length > file.bytes) {
          throw new InputError(
            `${shown(file.name, 100)} has more than the ${formatBytes(file.bytes)} that the repository says; nothing of it is used.`,
          );
        }
        await write(handle, piece.bytes, piece.at, file);
        position = piece.at + piece.bytes.length;
        onBytes(position);
      }
      if (position < file.bytes) {
        throw new Unreachable(
          `${shown(file.name, 100)} ended after ${formatBytes(position)} of ${formatBytes(file.bytes)}; fetch again to continue.`,
        );
      }
    } catch (error) {
      failures = position > before ? 1 : failures + 1;
      if (!(error instanceof Unreachable) || failures >= attempts) {
        throw error;
      }
      await sleep(pauseMs * 2 ** (failures - 1), undefined, { signal }).catch(() => {
        throw new CancelledError();
      });
    }
  }
}

/** The bytes of a file from a place on, or from its beginning where the server does not begin elsewhere. */
async function* piecesFrom(
  position: number,
  file: HubFile,
  url: string,
  { connection }: Transfer,
): AsyncGenerator<{ readonly at: number; readonly bytes: Uint8Array }> {
  const { response, body } = await connection.get(url, position === 0 ? {} : { Range: `bytes=${position}-` });
  let at = response.status === 206 ? position : 0;
  const range = response.headers.get('Content-Range');
  if (response.status === 206 && !(range ?? '').startsWith(`bytes ${position}-`)) {
    throw new InputError(
      `${shown(file.name, 100)} was asked for from byte ${position} and came as ${shown(range ?? 'something else', 60)}; fetch again.`,
    );
  }
  for await (const bytes of body) {
    yield { at, bytes };
    at += bytes.length;
  }
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
  for await (const piece of readPieces(path, 'fetch again')) {
    if (signal.aborted) {
      throw new CancelledError();
    }
    hash.update(piece);
  }
  return hash.digest('hex');
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
