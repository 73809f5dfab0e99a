import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ExperimentReport } from '../../../src/core/evaluate/report';
import { cli, nothingKept, run } from '../../support/cli';
import { root, sampleText } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

/** A small evaluation: seven windows under two scenarios, and two retrieval cases. */
function evaluation(folder: string): readonly string[] {
  const prompt = join(folder, 'prompt.txt');
  writeFileSync(prompt, sampleText().slice(0, 3000));
  const scenarios = ['--scenario', 'sliding-window:16,attention-sink:24:2'];
  const retrieval = ['--retrieval', 'single', '--retrieval-lengths', '100', '--retrieval-depths', '0,1'];
  return ['evaluate', prompt, ...scenarios, '--context', '128', '--block', '64', '--threads', '1', ...retrieval, '--json'];
}

const qualities = (stdout: string): unknown =>
  (JSON.parse(stdout) as ExperimentReport).points.map(({ scenario, quality, retrieval }) => ({ scenario, quality, retrieval }));

/** The units of results files, sorted. */
function unitsIn(...paths: readonly string[]): string[] {
  const lines = paths.flatMap((path) => readFileSync(path, 'utf8').trimEnd().split('\n'));
  return lines.map((line) => (JSON.parse(line) as { unit: string }).unit).sort();
}

describe('shards', () => {
  it('measure their parts, and together give the report of a whole run', async () => {
    const folder = temporaryFolder();
    const command = evaluation(folder);
    const results = join(folder, 'results');
    const whole = await run(command);
    for (const [part, known] of [
      [2, 0],
      [1, 1],
    ] as const) {
      const shard = await run([...command, '--results', results, '--shard', `${part}/3`]);
      expect(shard.code).toBe(0);
      expect(JSON.parse(shard.stdout)).toMatchObject({ resumed: 0, units: 20 });
      expect(readdirSync(results)).toHaveLength(known + 1);
    }
    const text = await run([...command.filter((word) => word !== '--json'), '--results', results, '--shard', '1/3']);
    expect(text.stdout).toMatch(
      /^Shard 1\/3 is done; \d+ of 20 units are known\.\nOnce all shards are done, the same command without --shard/,
    );
    const last = await run([...command, '--results', results, '--shard', '3/3']);
    expect(qualities(last.stdout)).toEqual(qualities(whole.stdout));
    const again = await run([...command, '--results', results]);
    expect(qualities(again.stdout)).toEqual(qualities(whole.stdout));
    const files = readdirSync(results).map((name) => join(results, name));
    expect(files.map((path) => /(shard-\d-of-3)\./.exec(path)?.[1]).sort()).toEqual(['shard-1-of-3', 'shard-2-of-3', 'shard-3-of-3']);
    expect(new Set(unitsIn(...files)).size).toBe(unitsIn(...files).length);
  });

  it.each([
    ['4/3', /^two-heads: --shard of "4\/3" is not possible; give a part and how many there are, such as 1\/8 to 8\/8\.$/m],
    ['0/3', /--shard of "0\/3" is not possible/],
    ['x', /--shard of "x" is not possible/],
  ])('that cannot be are refused: %s', async (shard, message) => {
    const { code, stderr } = await run([...evaluation(temporaryFolder()), '--results', 'x', '--shard', shard]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('are refused without a folder that all can share', async () => {
    const command = evaluation(temporaryFolder());
    expect((await run([...command, '--shard', '1/2'])).stderr).toMatch(
      /--shard 1\/2 needs a folder that all shards share; name one with --results\./,
    );
    expect((await run([...command, '--shard', '1/2', '--results', 'x.jsonl'])).stderr).toMatch(
      /--results x\.jsonl has the name of one file, and shards write a file each/,
    );
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, 'text that stays');
    const taken = await run([...command, '--shard', '1/2', '--results', file]);
    expect([taken.code, taken.stderr]).toEqual([
      2,
      `two-heads: --results ${file} is one file, and a folder is needed, with a file for each writer; name a folder.\n`,
    ]);
    expect(readFileSync(file, 'utf8')).toBe('text that stays');
  });

  it('measure other work apart in one folder', async () => {
    const folder = temporaryFolder();
    const results = ['--results', join(folder, 'results'), '--shard', '1/2'];
    const command = evaluation(folder);
    const other = command.map((word) => (word === '64' ? '32' : word));
    const before = JSON.parse((await run([...command, ...results])).stdout) as { known: number };
    expect(JSON.parse((await run([...other, ...results])).stdout)).toMatchObject({ resumed: 0, known: before.known });
    expect(JSON.parse((await run([...command, ...results])).stdout)).toMatchObject({ resumed: before.known, known: before.known });
  });
});

it.runIf(process.platform === 'linux')('a disk that takes no more is named, and loses nothing but the line that it cut', async () => {
  const folder = temporaryFolder();
  const command = [process.execPath, join(root, 'dist', 'cli.js'), ...evaluation(folder), '--results', `${join(folder, 'results')}/`];
  // No file may grow past 20 KiB: a write that would is cut, and the next one refused, as on a full disk.
  const full = spawnSync('bash', ['-c', 'trap "" XFSZ; ulimit -f 20; exec "$@"', '-', ...command], {
    env: { ...process.env, ...nothingKept },
    encoding: 'utf8',
  });
  expect(full.status).toBe(2);
  expect(full.stderr).toMatch(/\ntwo-heads: --results \S+\.jsonl cannot be written \(EFBIG: file too large, write\); make room and give/);
  const [name] = readdirSync(join(folder, 'results')).filter((name) => name.endsWith('.jsonl'));
  const kept = readFileSync(join(folder, 'results', name), 'utf8').split('\n').length - 1;
  expect(kept).toBeGreaterThan(0);
  const again = await run([...evaluation(folder), '--results', join(folder, 'results')]);
  expect((JSON.parse(again.stdout) as ExperimentReport).resumed).toBe(kept);
});

describe('processes that share one results file', () => {
  it('measure every unit once between them, and print one report', async () => {
    const folder = temporaryFolder();
    const results = join(folder, 'results.jsonl');
    const command = [...evaluation(folder), '--results', results];
    const both = await Promise.all([cli(command), cli(command)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(qualities(both[0].stdout)).toEqual(qualities(both[1].stdout));
    expect(unitsIn(results)).toHaveLength(20);
    expect(new Set(unitsIn(results)).size).toBe(20);
    expect(existsSync(`${results}.claims`)).toBe(false);
  });

  it.runIf(process.platform !== 'win32')('lets go of what it has claimed where a scheduler ends it', async () => {
    const folder = temporaryFolder();
    const results = join(folder, 'results.jsonl');
    const command = [join(root, 'dist', 'cli.js'), ...evaluation(folder), '--results', results];
    const child = spawn(process.execPath, command, { env: { ...process.env, ...nothingKept }, stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    while (!existsSync(`${results}.claims`)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill('SIGTERM');
    expect(await ended).toBe(130);
    expect(existsSync(`${results}.claims`)).toBe(false);
  });

  it('go on with what one that was killed had claimed', async () => {
    const folder = temporaryFolder();
    const results = join(folder, 'results.jsonl');
    const command = [...evaluation(folder), '--results', results];
    const child = spawn(process.execPath, [join(root, 'dist', 'cli.js'), ...command], {
      env: { ...process.env, ...nothingKept },
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    while (!existsSync(`${results}.claims`)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill('SIGKILL');
    await ended;
    const { code } = await cli(command);
    expect(code).toBe(0);
    expect(new Set(unitsIn(results)).size).toBe(20);
    expect(unitsIn(results)).toHaveLength(20);
  });
});
