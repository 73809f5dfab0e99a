import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../src/core/errors';
import { type Next, nextOf } from '../support/mutate';
import { type Campaign, type Context, countOf, seedOf, Tally } from './campaign';
import { root } from '../support/paths';
import { type Store, stores } from './writer-process';
import { checkWritten, Writer } from './writes-killed';

/** What a full disk, or a limit on a file's size, is called in refusals. */
const reasons = /EFBIG|ENOSPC/;

/**
 * Disks that take no more in the middle of a write: a limit on the size of files, a file system of some pages where this user may
 * mount one, and /dev/full. The writer says so in a line, what it wrote before is there, and with room it goes on.
 */
export const diskFull: Campaign = {
  title: 'disk full',
  run: async (context) => {
    const tally = new Tally('disk full: a limit on files, a small file system');
    const mounted = join(context.folder, 'mounted');
    mkdirSync(mounted);
    const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', mounted]).status === 0;
    try {
      for (let index = 0; index < countOf(context, 60, 2); index += 1) {
        const next = nextOf(seedOf(context.seed, 'full', index));
        const isOnMounted = isMounted && next(2) === 0;
        const [store, folder] = [stores[index % stores.length], mkdtempSync(join(isOnMounted ? mounted : context.folder, 'store-'))];
        try {
          await (isOnMounted ? fill(context, store, folder) : limit(context, store, folder, next));
          tally.ended(isOnMounted ? 'small file system' : 'limited file');
        } catch (error) {
          tally.failed(messageOf(error), `--seed ${context.seed} --only full, try ${index}: ${store}${isOnMounted ? ', mounted' : ''}`);
        }
        rmSync(folder, { recursive: true, force: true });
      }
    } finally {
      if (isMounted) {
        spawnSync('umount', [mounted]);
      }
    }
    return [tally, devices(context.folder)];
  },
};

/** No file may grow past some kilobytes: a write that would is cut, and the next one refused. */
async function limit(context: Context, store: Store, folder: string, next: Next): Promise<void> {
  const kilobytes = 1 + next(store === 'results' || store === 'shared results' ? 30 : 3);
  const shell = ['bash', '-c', `trap "" XFSZ; ulimit -f ${kilobytes}; exec "$@"`, '-'];
  const writer = new Writer(context, { store, folder, writer: 1, count: store === 'shared results' ? 40 : 200 }, shell);
  await writer.ended;
  await checkStopped(context, store, folder, writer);
}

/** Writes until nothing fits any more. */
async function fill(context: Context, store: Store, folder: string): Promise<void> {
  const writer = new Writer(context, { store, folder, writer: 1, count: store === 'calibration' || store === 'shared results' ? 40 : 400 });
  await writer.ended;
  await checkStopped(context, store, folder, writer, true);
}

async function checkStopped(context: Context, store: Store, folder: string, writer: Writer, isFull = false): Promise<void> {
  const { refusal } = writer;
  if (refusal !== undefined && (!reasons.test(refusal.message) || refusal.message.includes('\n'))) {
    throw new Error(`the writer stopped with: ${refusal.name}: ${refusal.message.slice(0, 100)}`);
  }
  if (refusal === undefined && !writer.told.includes('over')) {
    throw new Error('the writer ended without a word');
  }
  if (isFull && refusal !== undefined) {
    // Room again, as somebody makes it.
    spawnSync('mount', ['-o', 'remount,size=4m', join(folder, '..')]);
  }
  // The same again goes on: with a shared list, it measures what is left.
  const again = new Writer(context, {
    store,
    folder,
    writer: store === 'shared results' ? 1 : 2,
    count: store === 'shared results' ? 40 : 5,
  });
  await again.ended;
  if (again.refusal !== undefined) {
    throw new Error(`with room again, the writer stopped with: ${again.refusal.message.slice(0, 100)}`);
  }
  await checkWritten(store, folder, [writer, again]);
  if (isFull) {
    spawnSync('mount', ['-o', 'remount,size=200k', join(folder, '..')]);
  }
}

/** Outputs that take nothing: each command says so in a line, and ends with another code than 0. */
function devices(folder: string): Tally {
  const tally = new Tally('disk full: /dev/full as output');
  const sample = join(root, 'media', 'samples', 'prompt.md');
  const run = ['simulate', sample, '--max-tokens', '64', '--block', '64'];
  // The name of a graph has its ending: a link, which is followed.
  const graph = join(folder, 'full.onnx');
  symlinkSync('/dev/full', graph);
  const commands: readonly { readonly args: readonly string[]; readonly isOutput?: boolean }[] = [
    { args: [...run, '--out', '/dev/full'] },
    { args: ['export', '--tokens', '64', '--block', '64', graph] },
    { args: ['plan', sample], isOutput: true },
  ];
  for (const { args, isOutput = false } of commands) {
    const output = isOutput ? openSync('/dev/full', 'w') : 'ignore';
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'dist', 'cli.js'), ...args], {
      encoding: 'utf8',
      timeout: 60_000,
      stdio: ['ignore', output, 'pipe'],
    });
    if (typeof output === 'number') {
      closeSync(output);
    }
    const lines = stderr.split('\n').filter((line) => line.startsWith('two-heads:'));
    if (status !== null && status > 0 && lines.length === 1 && lines[0].includes('ENOSPC') && !/\n\s+at /.test(stderr)) {
      tally.ended('refused');
    } else {
      tally.failed(`code ${status}, ${lines.length} lines`, `two-heads ${args.join(' ')}: ${stderr.slice(0, 300)}`);
    }
  }
  return tally;
}
