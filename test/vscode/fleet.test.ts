import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debianProgram } from '../harness/debian';
import { type CliProcess, resultLines, startWorker } from '../harness/fleet-processes';
import { TestRedis } from '../harness/redis';
import { cli } from '../support/cli';
import { sampleText } from '../support/paths';
import { useStage } from './harness/stage';
import { until } from './harness/wait';

const program = await debianProgram('redis-server', ['redis-server']);
const password = 'open sesame';
const experiment = {
  version: 1,
  prompts: ['prompt.md'],
  model: 'tiny-docs-5m',
  scenarios: [8, 16, 32, 64, 128].map((window) => `sliding-window:${window}`),
  blocks: [256],
  context: 256,
  provider: 'cpu',
  threads: 1,
  results: 'fleet.jsonl',
};

describe.skipIf(program === undefined)('the fleet', () => {
  const stage = useStage('fleet', {
    // The VS Code of tests makes no keys for secrets: it keeps them in memory, and prints that.
    meant: /Method Not Allowed/,
    files: { 'prompt.md': sampleText(), 'windows.two-heads.json': JSON.stringify(experiment, null, 2) },
  });
  const workers: CliProcess[] = [];
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await TestRedis.start({ program: program ?? '', config: [`requirepass "${password}"`] });
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.dispose()));
    await redis.dispose();
  });

  /** The pane of the view. */
  const view = (): Locator => {
    const { page } = stage.bench;
    return page.locator('.pane', { has: page.locator('.pane-header .title', { hasText: /^Machine$/ }) });
  };
  /** The lines of the view, as a screen reader says them. */
  const lines = (): Promise<string[]> =>
    view()
      .locator('.monaco-list-row')
      .evaluateAll((rows: readonly { getAttribute(name: string): string | null }[]) =>
        rows.map((row) => row.getAttribute('aria-label') ?? ''),
      );
  /** Waits until a line says something. */
  const says = (wanted: RegExp): Promise<string[]> =>
    until(`a line ${String(wanted)}`, lines, (seen) => seen.some((line) => wanted.test(line)));
  /** Waits until so many lines are workers, all of which do something like it. */
  const saysOfWorkers = (count: number, wanted: RegExp): Promise<string[]> =>
    until(`${count} workers that say ${String(wanted)}`, lines, (seen) => {
      const found = seen.filter((line) => /^[\w-]+-\d+-[0-9a-f]{4}, /.test(line));
      return found.length === count && found.every((line) => wanted.test(line));
    });
  const address = (): string => redis.url.replace('localhost', '127.0.0.1');

  it('is a line and two links before a broker is set; then a view of it, once its password is set', async () => {
    await stage.bench.showView('Machine');
    await view().getByText('no broker is set', { exact: false }).waitFor();
    await view().getByText('Set a Broker', { exact: true }).waitFor();
    await stage.bench.screenshot('fleet-welcome');
    await view().getByText('about fleets', { exact: true }).click();
    await stage.bench.page.locator('.extension-editor').getByText('Two Heads').first().waitFor();
    await stage.bench.screenshot('fleet-about');
    await stage.bench.setSettings({ 'twoHeads.fleet.broker': address() });
    await says(/wants a password; give it with the command Set the Broker's Password/);
    await stage.bench.command("Two Heads: Set the Broker's Password...");
    await stage.bench.quickInput.answer(`Password of 127.0.0.1:${redis.port}`, password);
    await says(new RegExp(`^127\\.0\\.0\\.1:${redis.port}, 0 workers`));
  });

  it('measures an experiment with what workers come and go, and gives what this machine alone would', async () => {
    await stage.bench.showView('Machine');
    await stage.bench.setSettings({ 'twoHeads.fleet.broker': address() });
    await stage.open('windows.two-heads.json');
    await stage.bench.command('Two Heads: Run Experiment on Fleet');
    expect(await stage.dialog()).toContain(`The prompt's tokens leave this machine for 127.0.0.1:${redis.port} and its workers.`);
    await stage.bench.pressDialogButton('Run');
    await stage.notification(/Waiting for workers: no worker is there/);
    await stage.bench.pressNotificationButton('Waiting for workers', 'Cancel');
    await stage.notification('the run was cancelled');

    await stage.bench.command('Two Heads: Run Experiment on Fleet');
    await says(/^Jobs for tiny-docs-5m on cpu, \d+ waiting/);
    // VS Code may not put up what comes so soon after another notification; its list has all.
    await stage.bench.run('notifications.showList');
    await stage.notification(/Waiting for workers: no worker is there/);
    for (let index = 0; index < 3; index += 1) {
      workers.push(await startWorker(redis.url, [], { TWO_HEADS_BROKER_PASSWORD: password }));
    }
    await saysOfWorkers(3, /row 1 of 1/);
    await stage.notification(/window \d+ of 20, .*, about [\d.]+ m?s left/);
    await stage.bench.screenshot('fleet-machine');
    await workers[0].signal('SIGKILL');
    await saysOfWorkers(2, /rows a minute/);
    await stage.bench.screenshot('fleet-machine-two');
    await stage.notification(/Evaluated 5 points of 5 on 1 prompt/);
    expect(existsSync(stage.path('fleet.jsonl'))).toBe(true);
    expect(resultLines(stage.path('fleet.jsonl'))).toHaveLength(100);
    await saysOfWorkers(2, /waits/);

    writeFileSync(stage.path('alone.two-heads.json'), JSON.stringify({ ...experiment, results: 'alone.jsonl' }));
    expect(await cli(['run', stage.path('alone.two-heads.json')])).toMatchObject({ code: 0 });
    expect(resultLines(stage.path('fleet.jsonl'))).toEqual(resultLines(stage.path('alone.jsonl')));
    expect(readFileSync(stage.path('fleet.jsonl'), 'utf8')).not.toContain('SQLite');
  });
});
