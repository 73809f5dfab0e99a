import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeWhole } from '../../../src/engine/store/files';
import { temporaryFolder } from '../../support/temporary';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

const at = (name: string): string => join(folder, name);

describe('a file that is written whole', () => {
  it('replaces another of that name, keeps its mode, and leaves no draft', async () => {
    writeFileSync(at('kept.json'), 'old');
    chmodSync(at('kept.json'), 0o600);
    await writeWhole(at('kept.json'), 'new');
    await writeWhole(at('made.json'), ['one ', 'two'].map(Buffer.from.bind(Buffer)));
    expect(readFileSync(at('kept.json'), 'utf8')).toBe('new');
    expect(statSync(at('kept.json')).mode & 0o777).toBe(0o600);
    expect(readFileSync(at('made.json'), 'utf8')).toBe('one two');
    expect(readdirSync(folder).sort()).toEqual(['kept.json', 'made.json']);
  });

  it.skipIf(process.platform === 'win32')('goes where a link leads, and refuses one that leads nowhere', async () => {
    writeFileSync(at('real'), 'old');
    symlinkSync('real', at('link'));
    symlinkSync('missing', at('dangling'));
    await writeWhole(at('link'), 'new');
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
    expect(readFileSync(at('real'), 'utf8')).toBe('new');
    await expect(writeWhole(at('dangling'), 'new')).rejects.toThrow('it is a link to nothing');
    expect(existsSync(at('missing'))).toBe(false);
  });

  it('is the same file under its other names', async () => {
    writeFileSync(at('one'), 'old, and longer');
    linkSync(at('one'), at('two'));
    await writeWhole(at('one'), 'new');
    expect(readFileSync(at('two'), 'utf8')).toBe('new');
    expect(statSync(at('two')).nlink).toBe(2);
  });

  it.skipIf(process.platform === 'win32')('goes into a pipe that is read, and waits for no reader', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    await expect(writeWhole(at('pipe'), 'new')).rejects.toThrow('it is a pipe that nobody reads');
    const read = readFile(at('pipe'), 'utf8');
    // Until the reader has opened it.
    const written = async (content: string): Promise<void> =>
      writeWhole(at('pipe'), content).catch(() => new Promise((again) => setTimeout(again, 20)).then(() => written(content)));
    await written('new');
    expect(await read).toBe('new');
    // More than a pipe holds, to one that reads slowly.
    const long = 'x'.repeat(1_000_000);
    const slow = readFile(at('pipe'), 'utf8');
    await Promise.all([written(long), slow]);
    expect((await slow).length).toBe(long.length);
    expect(lstatSync(at('pipe')).isFIFO()).toBe(true);
  });

  it.skipIf(process.getuid?.() !== 0)('goes into a device, which stays one', async () => {
    execFileSync('mknod', [at('null'), 'c', '1', '3']);
    await writeWhole(at('null'), 'new');
    expect(lstatSync(at('null')).isCharacterDevice()).toBe(true);
  });
});
