import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunReport } from '../../../src/core/report/report';
import type { ShardedReport } from '../../../src/core/shards/report';
import { cli, run } from '../../support/cli';
import { sampleText } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

const mask = ['--scenario', 'attention-sink', '--sinks', '3', '--block', '64', '--threads', '1'];

function command(folder: string, ...more: readonly string[]): string[] {
  const prompt = join(folder, 'prompt.txt');
  writeFileSync(prompt, sampleText());
  const window = more.includes('--window') ? [] : ['--window', '24'];
  return ['simulate', prompt, '--max-tokens', '900', ...mask, ...window, ...more];
}

const documentOf = (stdout: string): ShardedReport => JSON.parse(stdout) as ShardedReport;

describe('simulate --shards', () => {
  it('gives the perplexity of the whole run, in less memory, and says what it cannot compare', async () => {
    const folder = temporaryFolder();
    const whole = JSON.parse((await run(command(folder, '--json'))).stdout) as RunReport;
    const out = join(folder, 'report.json');
    const { code, stdout } = await run(command(folder, '--shards', '3', '--json', '--out', out));
    expect(code).toBe(0);
    const report = documentOf(stdout);
    expect((report.quality?.perplexity ?? NaN) / (whole.quality?.perplexity ?? NaN) - 1).toBeCloseTo(0, 5);
    expect(report.quality).toMatchObject({ baseline: null, positions: 899 });
    expect(report.qualityNote).toMatch(/^The model's own attention, causal, is not local/);
    expect(report.plan).toEqual(whole.plan);
    expect(report.halo).toBe(6 * 23);
    expect(report.shards.map(({ rows }) => rows)).toEqual([
      { from: 0, to: 300 },
      { from: 300, to: 600 },
      { from: 600, to: 900 },
    ]);
    expect(report.run.tokens).toBe(900 + 2 * (6 * 23 + 3));
    expect(report.shardBytes).toBeLessThan(whole.plan.bytes);
    expect(report.fidelity?.wrongRows).toEqual([]);
    expect(report.fidelity?.probe).toMatchObject({ rows: 900, wrongRows: [] });
    expect(report.fidelity?.maxAbsError).toBeLessThan(1e-4);
    expect(readdirSync(folder)).toContain('report.json');
  });

  it('goes on from what single shards measured, in any order', async () => {
    const folder = temporaryFolder();
    const results = join(folder, 'results');
    const first = await run(command(folder, '--shard', '2/2', '--results', results, '--verify', 'none'));
    expect(first.stdout).toBe(
      'Shard 2/2 is done; 1 of 2 shards are known.\nOnce all are done, the same command with --shards 2 prints the report.\n',
    );
    const counted = await run(command(folder, '--shard', '2/2', '--results', results, '--verify', 'none', '--json'));
    expect(JSON.parse(counted.stdout)).toEqual({ schemaVersion: 1, shards: 2, known: 1, resumed: 1 });
    const last = await run(command(folder, '--shard', '1/2', '--results', results, '--verify', 'none', '--json'));
    const again = await run(command(folder, '--shards', '2', '--results', results, '--verify', 'none', '--json'));
    expect(again.stderr).toBe('');
    const reports = [last, again].map(({ stdout }) => documentOf(stdout));
    expect(reports[1].shards).toEqual(reports[0].shards);
    expect(reports[1].quality).toEqual(reports[0].quality);
    expect(readdirSync(results).map((name) => /^shard-\d-of-2/.exec(name)?.[0])).toEqual(['shard-1-of-2', 'shard-2-of-2']);
    // Another mask, and another cut, are other work.
    const other = await run(command(folder, '--shard', '1/3', '--results', results, '--verify', 'none', '--json'));
    expect(JSON.parse(other.stdout)).toEqual({ schemaVersion: 1, shards: 3, known: 1, resumed: 0 });
  });

  it('are each run once by processes that share a folder', async () => {
    const folder = temporaryFolder();
    const results = join(folder, 'results/');
    const shared = command(folder, '--shards', '6', '--results', results, '--verify', 'none');
    const both = await Promise.all([cli(shared), cli(shared)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const last = await run([...shared, '--json']);
    expect(documentOf(last.stdout).shards).toHaveLength(6);
    expect(last.stderr).toBe('');
    const lines = readdirSync(results).flatMap((name) => readFileSync(join(results, name), 'utf8').trimEnd().split('\n'));
    expect(lines).toHaveLength(6);
  });

  it.each([
    [['--shards', '2', '--shard', '1/2'], /--shards 2 and --shard 1\/2 contradict each other/],
    [['--results', 'x'], /--results x does nothing without --shards or --shard/],
    [['--shard', '1/2'], /--shard 1\/2 needs a folder that all shards share; name one with --results\./],
    [['--shards', '0'], /--shards.*0.*whole number from 1/],
    [['--shards', '1000'], /1000 shards of a prompt of 900 tokens are not possible; use from 1 to 900\./],
    [['--shards', '2', '--window', '151'], /Over 6 layers a token depends on 900 tokens around it, and the prompt has 900/],
  ])('refuses %j', async (more, message) => {
    const { code, stderr } = await run(command(temporaryFolder(), ...more));
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it('refuses a mask that is not local by name', async () => {
    const folder = temporaryFolder();
    const [, prompt] = command(folder);
    const { code, stderr } = await run(['simulate', prompt, '--shards', '2']);
    expect(stderr).toMatch(
      /Under causal a token can depend on the whole prompt, which cannot be cut into shards; use sliding-window, attention-sink/,
    );
    expect(code).toBe(2);
  });
});
