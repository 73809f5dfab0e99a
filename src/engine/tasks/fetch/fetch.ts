import { mkdir, rmdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CancelledError, cancelledSaying, InputError, messageOf } from '../../../core/errors';
import type { FetchProgress, Offer } from '../../../core/fetch/offer';
import { formatBytes } from '../../../core/format';
import { said } from '../../../core/l10n';
import { shown } from '../../../core/text/printable';
import { exists } from '../../read/input/regular-file';
import { revisionName } from '../../read/model/found/hub-cache';
import { download, isWhole, type Transfer } from './download';
import { addressOf, blobPath } from './offer';
import { makeSnapshot } from './snapshot';

/** A model that is in the cache. */
export interface FetchedModel {
  /** What `--model` takes for it. */
  readonly name: string;
  /** Its snapshot. */
  readonly folder: string;
}

/** Shortest time after which a rate is given, in milliseconds. */
const rateAfterMs = 500;

/**
 * Fetches what was offered into Hugging Face's cache, as huggingface_hub lays it out: contents in `blobs`, links to them in
 * `snapshots/<commit>`, and the commit in `refs/<revision>`. Nothing is in `snapshots` before all files are there and checked.
 *
 * @throws InputError where a file cannot be had, checked or written, or the disk is too small; CancelledError. What was fetched
 * is kept, and continued the next time.
 */
export async function fetchOffer(
  offer: Offer,
  { onProgress, ...transfer }: Omit<Transfer, 'onBytes'> & { readonly onProgress: (progress: FetchProgress) => void },
): Promise<FetchedModel> {
  const { repository, revision, commit, endpoint, files, folder } = offer;
  await checkSpace(offer);
  await mkdir(join(folder, 'blobs'), { recursive: true }).catch((error: unknown) => {
    throw new InputError(`${folder} cannot be made (${messageOf(error)}); set HF_HUB_CACHE to a folder that can be written.`);
  });
  const report = reporter(offer, onProgress);
  let done = 0;
  for (const file of files) {
    const blob = blobPath(folder, file);
    if (!(await isWhole(blob, file))) {
      const onBytes = (bytes: number): void => report(file.name, done + bytes);
      try {
        await download(file, addressOf(endpoint, repository, commit, file.name), blob, { ...transfer, onBytes }).catch(
          cancelledSaying(said`The fetch of ${shown(repository, 100)} was cancelled; fetch it again to continue.`),
        );
      } catch (error) {
        // A repository of which nothing came, such as one whose conditions are not accepted, is none in the cache.
        await rmdir(join(folder, 'blobs'))
          .then(
            () => rmdir(folder),
            () => undefined,
          )
          .catch(() => undefined);
        throw error;
      }
    }
    done += file.bytes;
    report(file.name, done);
  }
  if (transfer.signal.aborted) {
    throw new CancelledError();
  }
  const snapshot = await makeSnapshot(offer);
  const name = revision === 'main' ? repository : revision === commit ? revisionName(repository, commit) : `${repository}@${revision}`;
  const gguf = files.find((file) => /\.gguf$/i.test(file.name));
  return { name: gguf === undefined ? name : `${name}/${gguf.name}`, folder: snapshot };
}

/** Refuses what would not fit on the disk. @throws InputError that says how much is missing */
async function checkSpace({ repository, folder, missingBytes }: Offer): Promise<void> {
  let place = folder;
  while (!(await exists(place)) && dirname(place) !== place) {
    place = dirname(place);
  }
  // Where a file system does not say how much is free, writing will.
  const free = await statfs(place).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => Infinity,
  );
  if (missingBytes > free) {
    throw new InputError(
      `${shown(repository, 100)} needs ${formatBytes(missingBytes)} and ${place} has ${formatBytes(free)} free; free some space, or set HF_HUB_CACHE to a folder on another disk.`,
    );
  }
}

function reporter(
  { bytes: totalBytes, missingBytes }: Offer,
  onProgress: (progress: FetchProgress) => void,
): (file: string, bytes: number) => void {
  const start = performance.now();
  const there = totalBytes - missingBytes;
  let last = '';
  return (file, bytes) => {
    if (last === `${bytes} ${file}`) {
      return;
    }
    last = `${bytes} ${file}`;
    const elapsedMs = performance.now() - start;
    const rate = elapsedMs > rateAfterMs && bytes > there ? (1000 * (bytes - there)) / elapsedMs : null;
    onProgress({ file, bytes, totalBytes, bytesPerSecond: rate, leftMs: rate === null ? null : (1000 * (totalBytes - bytes)) / rate });
  };
}
