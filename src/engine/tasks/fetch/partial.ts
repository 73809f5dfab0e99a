import { createHash, randomBytes } from 'node:crypto';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isRunning, processSpace } from '../processes';

/** File name ending of what is not whole, as huggingface_hub has it. */
export const partialEnding = '.incomplete';

/** Time after which what a process of another machine left counts as abandoned, in milliseconds. */
const foreignMs = 24 * 3_600_000;

/** Names that this process writes to now. */
const held = new Set<string>();

/** Short, as the names of partial files have it. */
const machine = createHash('sha256').update(processSpace).digest('hex').slice(0, 8);

/** A name beside `path` that only this process uses, until it is let go or the process ends. */
export function ownName(path: string): string {
  const own = `${path}.two-heads-${machine}-${process.pid}-${randomBytes(4).toString('hex')}${partialEnding}`;
  held.add(basename(own));
  return own;
}

/** Says that this process does not use a name of `ownName` any more. */
export function letGo(own: string): void {
  held.delete(basename(own));
}

/** What processes that ended left beside a path under names of `ownName`, and what was let go, as paths. */
export async function abandonedBeside(path: string): Promise<readonly string[]> {
  const names = (await readdir(dirname(path)).catch(() => [])).filter((name) => name.startsWith(`${basename(path)}.`));
  const paths: string[] = [];
  for (const name of names) {
    if (await isAbandoned(join(dirname(path), name), name.slice(basename(path).length))) {
      paths.push(join(dirname(path), name));
    }
  }
  return paths;
}

async function isAbandoned(path: string, ending: string): Promise<boolean> {
  const match = /^\.two-heads-([0-9a-f]{8})-(\d{1,10})-[0-9a-f]{8}\.incomplete$/.exec(ending);
  if (match === null) {
    return ending === partialEnding;
  }
  const [, where, id] = match;
  if (where !== machine) {
    const found = await lstat(path).catch(() => undefined);
    return found !== undefined && Date.now() - found.mtimeMs > foreignMs;
  }
  return Number(id) === process.pid ? !held.has(basename(path)) : !isRunning(Number(id));
}

/** A file that can be continued: a regular one, which has no other name through which it would change. */
interface Partial {
  readonly path: string;
  readonly bytes: number;
}

/** What earlier fetches left of a blob, the longest first. Links, and what is longer than the blob, are none of it. */
export async function partialsOf(blob: string, maximum: number): Promise<readonly Partial[]> {
  const found: Partial[] = [];
  for (const path of await abandonedBeside(blob)) {
    const entry = await lstat(path).catch(() => undefined);
    if (entry?.isFile() === true && entry.nlink === 1 && entry.size <= maximum) {
      found.push({ path, bytes: entry.size });
    }
  }
  return found.sort((a, b) => b.bytes - a.bytes);
}

/**
 * Takes the longest of what earlier fetches left of a blob. Renaming it takes it: of all processes that try, one has it.
 *
 * @returns the path, at which nothing is where nothing was left; to be given to `releasePartial`
 */
export async function claimPartial(blob: string, maximum: number): Promise<string> {
  const own = ownName(blob);
  for (const { path } of await partialsOf(blob, maximum)) {
    const isTaken = await rename(path, own).then(
      () => true,
      () => false,
    );
    if (isTaken) {
      break;
    }
  }
  return own;
}

/** Leaves what there is of a blob for the next fetch; of two such files the longer. */
export async function releasePartial(own: string, blob: string): Promise<void> {
  const left = `${blob}${partialEnding}`;
  const [mine, other] = await Promise.all([own, left].map((path) => lstat(path).catch(() => undefined)));
  if (mine !== undefined) {
    const isOfNoUse = mine.size === 0 || (other?.isFile() === true && other.nlink === 1 && other.size >= mine.size);
    // Where neither works, it stays under its own name, which counts as abandoned from now on.
    await (isOfNoUse ? rm(own, { force: true }) : rename(own, left)).catch(() => undefined);
  }
  letGo(own);
}

/** Removes what earlier fetches left of a blob that is whole. */
export async function removePartials(blob: string): Promise<void> {
  for (const path of await abandonedBeside(blob)) {
    // A folder is nobody's partial file.
    await rm(path, { force: true }).catch(() => undefined);
  }
}
