import { basename, join } from 'node:path';
import { InputError } from '../../../../core/errors';
import { quoted, shown } from '../../../../core/text/printable';
import { inputLimits } from '../../input/limits';
import { exists } from '../../input/regular-file';
import { readRegularText } from '../../input/text';
import { foldersIn } from './folders';

/** Characters of a commit's hash that name it in reports. */
const shortRevision = 8;

/** A revision of a repository in Hugging Face's cache. */
export interface Snapshot {
  /** The commit's hash, as the folder is called. */
  readonly revision: string;
  readonly folder: string;
}

/** What a repository's folder is called: `models--org--name`. */
export function repositoryFolder(repository: string): string {
  return `models--${repository.replaceAll('/', '--')}`;
}

/** The repository of a folder `models--org--name`; undefined for any other name. */
export function repositoryOf(folder: string): string | undefined {
  // Repositories have no `--` in their names, and at most one slash.
  return /^models--(.+)$/.exec(basename(folder))?.[1].replace('--', '/');
}

/** How reports name a revision: `org/name@1234abcd`. */
export function revisionName(repository: string, revision: string): string {
  return `${repository}@${/^[0-9a-f]{40}$/.test(revision) ? revision.slice(0, shortRevision) : revision}`;
}

/** How reports name a folder `models--org--name/snapshots/<revision>`; undefined for any other. */
export function snapshotName(folder: string): string | undefined {
  const match = /(?:^|[\\/])(models--[^\\/]+)[\\/]snapshots[\\/]([^\\/]+)$/.exec(folder);
  const repository = match === null ? undefined : repositoryOf(match[1]);
  return match === null || repository === undefined ? undefined : revisionName(repository, match[2]);
}

/** All revisions of a repository in the cache, by name. @param folder `models--org--name` */
export async function snapshotsOf(folder: string): Promise<readonly Snapshot[]> {
  const names = await foldersIn(join(folder, 'snapshots'));
  return names.map((revision) => ({ revision, folder: join(folder, 'snapshots', revision) }));
}

/** The hash that a ref names; undefined where there is no such ref. @throws InputError for one that is no hash */
export async function refOf(folder: string, ref: string): Promise<string | undefined> {
  const path = join(folder, 'refs', ...ref.split('/'));
  if (!(await exists(path))) {
    return undefined;
  }
  const fix = 'download the model again, or give a folder in snapshots';
  const hash = (await readRegularText(path, inputLimits.ref, fix, fix)).trim();
  if (!/^[\w-]{1,100}$/.test(hash)) {
    throw new InputError(`${path} holds ${quoted(hash)}, which is no revision; ${fix}.`);
  }
  return hash;
}

/**
 * A revision of a repository in the cache: the one that a ref or the beginning of a hash names; else that of `main`, or the
 * only one where there is no such ref.
 *
 * @param folder `models--org--name`
 * @throws InputError where it is not there, or several could be meant
 */
export async function snapshotOf(folder: string, revision: string | undefined): Promise<Snapshot> {
  const all = await snapshotsOf(folder);
  const there = shown(all.map((each) => each.revision.slice(0, shortRevision)).join(', '), 120);
  const hash = await refOf(folder, revision ?? 'main');
  if (hash !== undefined) {
    const found = all.find((each) => each.revision === hash);
    if (found === undefined) {
      const ref = `refs/${revision ?? 'main'}`;
      throw new InputError(
        all.length === 0
          ? `${folder}: ${ref} names revision ${hash}, which is not in snapshots (none is there); download the model again, or name a revision with @.`
          : `${folder}: ${ref} names revision ${hash}, which is not in snapshots (there: ${there}); download the model again, or name a revision with @.`,
      );
    }
    return found;
  }
  const meant = revision === undefined ? all : all.filter((each) => each.revision.startsWith(revision));
  if (meant.length === 1) {
    return meant[0];
  }
  const wrong =
    revision === undefined
      ? 'no ref main'
      : meant.length === 0
        ? `no revision that begins with ${quoted(revision)}`
        : `${meant.length} revisions that begin with ${quoted(revision)}`;
  throw new InputError(
    all.length === 0
      ? `${folder} has ${wrong} (none is there); name one revision with @, or download the model again.`
      : `${folder} has ${wrong} (there: ${there}); name one revision with @, or download the model again.`,
  );
}
