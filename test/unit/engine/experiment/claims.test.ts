import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Claims } from '../../../../src/engine/tasks/evaluate/claims';
import { temporaryFolder } from '../../../support/temporary';

/** Often enough that a test need not wait, and so seldom that a busy machine cannot fail it. */
const limits = { renewMs: 20, staleMs: 60_000 };

const folderOf = (): string => join(temporaryFolder(), 'results.jsonl.claims');

/** A claim as a process that ended, or another machine, left it. */
function leave(folder: string, name: string, owner: string, ageMs: number): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, owner);
  const time = new Date(Date.now() - ageMs);
  utimesSync(path, time, time);
}

describe('a claim', () => {
  it('is had by one of all that try, until it is released', async () => {
    const claims = Claims.in(folderOf(), limits);
    const tried = await Promise.all(Array.from({ length: 20 }, () => claims.claim('row')));
    const had = tried.filter((claim) => claim !== undefined);
    expect(had).toHaveLength(1);
    expect(await had[0].holds()).toBe(true);
    expect(await claims.claim('row')).toBeUndefined();
    await had[0].release();
    expect(await had[0].holds()).toBe(false);
    await (await claims.claim('row'))?.release();
  });

  it('leaves nothing behind', async () => {
    const folder = folderOf();
    const claims = Claims.in(folder, limits);
    const both = await Promise.all([claims.claim('one'), claims.claim('two')]);
    expect(readdirSync(folder).sort()).toEqual(['one', 'two']);
    for (const claim of both) {
      await claim?.release();
    }
    expect(existsSync(folder)).toBe(false);
  });

  it('of a process that has ended on this machine is taken at once, by one of all that try', async () => {
    const folder = folderOf();
    const { pid } = spawnSync(process.execPath, ['--version']);
    const claims = Claims.in(folder, limits);
    await claims.claim('own');
    leave(folder, 'row', readFileSync(join(folder, 'own'), 'utf8').replace(`-${process.pid}-`, `-${pid}-`), 0);
    const tried = await Promise.all(Array.from({ length: 20 }, () => claims.claim('row')));
    const held = await Promise.all(tried.flatMap((claim) => (claim === undefined ? [] : [claim.holds()])));
    expect(held.filter((holds) => holds)).toHaveLength(1);
  });

  it.runIf(process.platform === 'linux')(
    'of another container with this machine’s name stands: its processes are not those of here',
    async () => {
      const folder = folderOf();
      const { pid } = spawnSync(process.execPath, ['--version']);
      const claims = Claims.in(folder, limits);
      await claims.claim('own');
      const own = readFileSync(join(folder, 'own'), 'utf8');
      const other = own.replace(/-\d+-\d+-/, `-4026500000-${pid}-`);
      expect(other).not.toBe(own);
      leave(folder, 'row', other, 0);
      expect(await claims.claim('row')).toBeUndefined();
    },
  );

  it('of a process that ended after its work, or while it claimed, is removed with the folder; one that stands is not', async () => {
    const folder = folderOf();
    const { pid } = spawnSync(process.execPath, ['--version']);
    const claims = Claims.in(folder, limits);
    const own = await claims.claim('own');
    const ended = readFileSync(join(folder, 'own'), 'utf8').replace(`-${process.pid}-`, `-${pid}-`);
    leave(folder, 'row', ended, 0);
    leave(folder, `other.new.${ended}`, ended, 0);
    leave(folder, `.now.${ended}`, '', 2 * limits.staleMs);
    await claims.removeLeft();
    expect(readdirSync(folder)).toEqual(['own']);
    await own?.release();
    expect(existsSync(folder)).toBe(false);
    leave(folder, 'row', ended, 0);
    await claims.removeLeft();
    expect(existsSync(folder)).toBe(false);
  });

  it('of another machine stands while it is renewed, and no longer', async () => {
    const folder = folderOf();
    const claims = Claims.in(folder, limits);
    leave(folder, 'fresh', 'elsewhere-1-0123abcd', 0);
    leave(folder, 'old', 'elsewhere-1-0123abcd', 2 * limits.staleMs);
    leave(folder, 'empty', '', 2 * limits.staleMs);
    expect(await claims.claim('fresh')).toBeUndefined();
    expect(await claims.claim('old')).toBeDefined();
    expect(await claims.claim('empty')).toBeDefined();
  });

  it('that another process took is no longer held, and its release leaves the other’s alone', async () => {
    const folder = folderOf();
    const claims = Claims.in(folder, limits);
    const lost = await claims.claim('row');
    writeFileSync(join(folder, 'row'), 'elsewhere-1-0123abcd');
    expect(await lost?.holds()).toBe(false);
  });

  it('is no file where nobody else knows of the work', async () => {
    const claim = await Claims.ofNobodyElse().claim('row');
    expect(await claim?.holds()).toBe(true);
    await claim?.release();
  });
});
