import { constants } from 'node:fs';
import { copyFile, link, lstat, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError, messageOf } from '../../../core/errors';
import type { HubFile, Offer } from '../../../core/fetch/offer';
import { said } from '../../../core/l10n';
import { quoted, shown } from '../../../core/text/printable';
import { adapterConfigFile } from '../../read/model/adapter/config';
import { kindAt } from '../../read/model/found/folders';
import { writeNew } from '../../store/files';
import { isWhole } from './download';
import { abandonedBeside, letGo, ownName } from './partial';

/** Where a file system, or the system for this user, makes no link. */
const noLinks = ['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'EMLINK', 'EXDEV'];

/**
 * Makes the snapshot of a commit whose contents are in the cache, and the ref that names it. A new snapshot gets its name once
 * it is whole: half of one would count as a model. In one that is there, what is missing or of another size is made.
 *
 * @returns its folder
 * @throws InputError where it cannot be written
 */
export async function makeSnapshot({ repository, revision, commit, files, folder }: Offer): Promise<string> {
  const snapshot = join(folder, 'snapshots', commit);
  const stem = draftStem(folder);
  const draft = ownName(stem);
  try {
    await Promise.all((await abandonedBeside(stem)).map((path) => rm(path, { recursive: true, force: true })));
    await mkdir(draft);
    await mkdir(dirname(snapshot), { recursive: true });
    const isNew = (await lstat(snapshot).catch(() => undefined)) === undefined;
    const wrong: HubFile[] = [];
    for (const file of files) {
      if (isNew || !(await isWhole(join(snapshot, file.name), file))) {
        await place(folder, file, join(draft, file.name));
        wrong.push(file);
      }
    }
    const isMade =
      isNew &&
      (await rename(draft, snapshot).then(
        () => true,
        () => false,
      ));
    if (!isMade) {
      for (const file of wrong.sort(byNeed)) {
        // Another fetch may have made it meanwhile.
        if (!(await isWhole(join(snapshot, file.name), file))) {
          await replace(join(draft, file.name), join(snapshot, file.name));
        }
      }
    }
  } catch (error) {
    throw error instanceof InputError ? error : new InputError(`${snapshot} cannot be written (${messageOf(error)}); fetch again.`);
  } finally {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
    letGo(draft);
  }
  if (revision !== commit) {
    await writeRef(folder, { repository, revision, commit });
  }
  return snapshot;
}

/** What drafts are called: not in `snapshots`, all of whose folders count as snapshots. */
function draftStem(folder: string): string {
  return join(folder, 'snapshot');
}

/** What makes a folder a model comes last: configurations, and the first file of one in GGUF. */
function byNeed(a: HubFile, b: HubFile): number {
  const isConfig = ({ name }: HubFile): number => Number(name === 'config.json' || name === adapterConfigFile);
  return isConfig(a) - isConfig(b) || (a.name < b.name ? 1 : -1);
}

/** Makes a file that is a blob: a link to it, a second name of it where links are not made, else a copy. */
async function place(folder: string, { digest }: HubFile, path: string): Promise<void> {
  const blob = join(folder, 'blobs', digest.hex);
  const orElse = (next: () => Promise<void>) => async (error: unknown) => {
    if (!noLinks.includes((error as NodeJS.ErrnoException).code ?? '')) {
      throw error;
    }
    await next();
  };
  // From `snapshots/<commit>`, where it will be. Windows lets few users make links; a second name takes no space either.
  await symlink(join('..', '..', 'blobs', digest.hex), path)
    .catch(orElse(() => link(blob, path)))
    .catch(orElse(() => copyFile(blob, path, constants.COPYFILE_FICLONE)));
}

async function replace(draft: string, path: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined))?.isDirectory() === true) {
    throw new InputError(`${path} is a folder in the place of a file; remove it, then fetch again.`);
  }
  await rename(draft, path);
}

/** Writes which commit a revision is. A link in its place is replaced, not followed: it may lead to anything. */
async function writeRef(
  folder: string,
  { repository, revision, commit }: Pick<Offer, 'repository' | 'revision' | 'commit'>,
): Promise<void> {
  const ref = join(folder, 'refs', ...revision.split('/'));
  const draft = ownName(draftStem(folder));
  try {
    await mkdir(dirname(ref), { recursive: true });
    await writeNew(draft, commit);
    await rename(draft, ref);
  } catch (error) {
    throw new InputError(
      `Revision ${quoted(revision)} of ${shown(repository, 100)} is fetched, but ${await reasonOf(ref, folder, error)}; fetch it as ${shown(repository, 100)}@${commit}, or remove that and fetch again.`,
    );
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
    letGo(draft);
  }
}

/** Why a ref cannot be written: mostly that another's name is in its way, as `feature` and `feature/x` are in each other's. */
async function reasonOf(ref: string, folder: string, error: unknown): Promise<string> {
  if ((await kindAt(ref)) === 'folder') {
    return said`${ref} is a folder`;
  }
  for (let above = dirname(ref); above.length > folder.length; above = dirname(above)) {
    const kind = await kindAt(above);
    if (kind !== undefined && kind !== 'folder') {
      return said`${above} is a file, so that ${shown(basename(ref), 60)} cannot be in it`;
    }
  }
  return said`${shown(ref, 200)} cannot be written (${shown(messageOf(error), 100)})`;
}
