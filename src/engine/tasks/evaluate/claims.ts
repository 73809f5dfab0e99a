import { randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError, messageOf } from '../../../core/errors';
import { inputLimits } from '../../read/input/limits';
import { openNew } from '../../read/input/regular-file';
import { readRegularText } from '../../read/input/text';
import { isRunning, processSpace } from '../processes';

/** How often a claim is renewed, and when one that is not renewed counts as left behind, in milliseconds. */
const renewMs = 5_000;
const staleMs = 60_000;

/** Work that this process has claimed. */
export interface Claim {
  /** Whether it is still this process's: another one takes it where this one seemed to have ended. */
  holds(): Promise<boolean>;
  /** Lets others have it. */
  release(): Promise<void>;
}

/** Names this process among those of all machines: in file names, and in what it claims. */
export function writerName(): string {
  return `${processSpace}-${process.pid}-${randomBytes(4).toString('hex')}`;
}

/** Host, process and random part of such a name. */
const namePattern = /^(.*)-(\d+)-[0-9a-f]+$/;

/**
 * Claims of work, one process at a time for each piece, among processes that share a folder, on one machine or several.
 *
 * A claim is a file that only one process can make. Its owner writes to it again and again; where it no longer does, or its
 * process has ended, another process renames it away, which again only one can, and makes its own. Ages go by the clock of
 * the file system, not by those of the machines.
 */
export class Claims {
  private constructor(
    private readonly folder: string | undefined,
    private readonly limits: { readonly renewMs: number; readonly staleMs: number },
  ) {}

  /** For work that no other process knows of: every claim is had. */
  static ofNobodyElse(): Claims {
    return new Claims(undefined, { renewMs, staleMs });
  }

  /** Claims in a folder, which is made with the first and removed with the last. */
  static in(folder: string, limits = { renewMs, staleMs }): Claims {
    return new Claims(folder, limits);
  }

  /** Claims a piece of work; undefined while another process has it. @param name of letters and digits */
  async claim(name: string): Promise<Claim | undefined> {
    if (this.folder === undefined) {
      return { holds: () => Promise.resolve(true), release: () => Promise.resolve() };
    }
    const path = join(this.folder, name);
    const owner = writerName();
    for (;;) {
      const file = await this.create(path, owner);
      if (file !== undefined) {
        return this.held(path, file, owner);
      }
      const left = await this.leftBy(path);
      if (left === undefined) {
        return undefined;
      }
      await takeAway(path, left, `${path}.${owner}`);
    }
  }

  /**
   * Removes what processes left that have ended: one that is killed after the last of its work lets go of nothing, and nobody
   * claims that work again. What cannot be removed stays, and does no harm.
   */
  async removeLeft(): Promise<void> {
    const { folder } = this;
    if (folder === undefined) {
      return;
    }
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name);
      const left = await this.leftBy(path);
      if (left !== undefined) {
        await takeAway(path, left, `${path}.${writerName()}`).catch(() => undefined);
      }
    }
    await rmdir(folder).catch(() => undefined);
  }

  /** Makes a claim with its owner in it, so that none is seen without: a file beside it, which gets its name as well. */
  private async create(path: string, owner: string): Promise<FileHandle | undefined> {
    const draft = `${path}.new.${owner}`;
    for (;;) {
      try {
        const file = await openNew(draft);
        await file?.write(owner, 0);
        const isMade = await link(draft, path).then(
          () => true,
          (error: unknown) => {
            if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
              return false;
            }
            throw error;
          },
        );
        await rm(draft, { force: true });
        if (!isMade) {
          await file?.close();
        }
        return isMade ? file : undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
          throw new InputError(`${path} cannot be made (${messageOf(error)}); give results a folder that you may write.`);
        }
        // The last claim took the folder with it.
        await mkdir(dirname(path), { recursive: true });
      }
    }
  }

  /** A claim whose file was made just now, renewed until it is released. */
  private held(path: string, file: FileHandle, owner: string): Claim {
    const write = (): Promise<unknown> => file.write(owner, 0).catch(() => undefined);
    const timer = setInterval(() => void write(), this.limits.renewMs);
    timer.unref();
    const holds = async (): Promise<boolean> => (await ownerOf(path)) === owner;
    return {
      holds,
      release: async () => {
        clearInterval(timer);
        await file.close();
        if (await holds()) {
          await rm(path, { force: true });
        }
        await rmdir(dirname(path)).catch(() => undefined);
      },
    };
  }

  /** What a claim says of its owner, where that has ended or has not renewed it for long; undefined where it stands. */
  private async leftBy(path: string): Promise<string | undefined> {
    const owner = await ownerOf(path);
    const [, owning, pid] = namePattern.exec(owner) ?? [];
    if (owning === processSpace && !isRunning(Number(pid))) {
      return owner;
    }
    const [renewed, now] = await Promise.all([stat(path).catch(() => undefined), this.now()]);
    return renewed !== undefined && now - renewed.mtimeMs > this.limits.staleMs ? owner : undefined;
  }

  /** The time of the file system, in milliseconds: machines that share it may disagree about theirs. */
  private async now(): Promise<number> {
    const probe = join(this.folder ?? '', `.now.${writerName()}`);
    const file = await openNew(probe).catch(() => undefined);
    try {
      return (await file?.stat())?.mtimeMs ?? 0;
    } finally {
      await file?.close();
      await rm(probe, { force: true });
    }
  }
}

/**
 * Takes a claim away from an owner who left it. Of all that try, one can rename it; one that finds another owner's by then
 * puts it back. Where yet another one was quicker then, the owner finds that it holds its claim no longer.
 */
async function takeAway(path: string, left: string, aside: string): Promise<void> {
  try {
    if ((await ownerOf(path)) !== left) {
      return;
    }
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await ownerOf(aside)) !== left) {
    await link(aside, path).catch(() => undefined);
  }
  await rm(aside, { force: true });
}

/** Who has a claim; empty where nobody has. */
function ownerOf(path: string): Promise<string> {
  return readRegularText(path, inputLimits.claim, '', '').catch(() => '');
}
