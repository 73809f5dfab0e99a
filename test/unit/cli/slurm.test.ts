import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExperimentReport } from '../../../src/core/evaluate/report';
import { Slurm, slurmObstacle, until } from '../../harness/slurm';
import { cli, nothingKept } from '../../support/cli';
import { root, sampleText } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

const script = join(root, 'docs', 'fleet', 'scripts', 'slurm-array.sh');
const obstacle = await slurmObstacle();

/** An experiment file of 32 windows under two scenarios, and its units. */
const units = 64;
function writeExperiment(folder: string): string {
  writeFileSync(join(folder, 'prompt.txt'), sampleText());
  const path = join(folder, 'x.two-heads.json');
  const scenarios = ['sliding-window:16', 'attention-sink:24:2'];
  writeFileSync(
    path,
    JSON.stringify({ version: 1, prompts: ['prompt.txt'], scenarios, blocks: [64], context: 128, maximumWindows: units / 2 }),
  );
  return path;
}

/** A PATH on which `two-heads` is the built command line, as a user's installation puts it there. */
function installed(folder: string): NodeJS.ProcessEnv {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'two-heads'), `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist', 'cli.js')}' "$@"\n`);
  chmodSync(join(bin, 'two-heads'), 0o755);
  return { ...process.env, ...nothingKept, PATH: `${bin}:${process.env.PATH ?? ''}` };
}

interface Measured {
  readonly unit: string;
  readonly file: string;
}

/** Every line of the results in a folder. */
function measuredIn(results: string): Measured[] {
  const names = existsSync(results) ? readdirSync(results).filter((name) => name.endsWith('.jsonl')) : [];
  return names.flatMap((file) => {
    // A process that was killed as it opened its file leaves it empty.
    const lines = readFileSync(join(results, file), 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => ({ unit: (JSON.parse(line) as { unit: string }).unit, file }));
  });
}

/** A row, and the process that has claimed it. */
interface Claimed {
  readonly row: string;
  readonly pid: number;
}

function claimsIn(results: string): Claimed[] {
  const folder = join(results, 'claims');
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^[0-9a-f]+$/.test(name)) : [];
  return names.flatMap((row) => {
    try {
      return [{ row, pid: Number(/-(\d+)-[0-9a-f]+$/.exec(readFileSync(join(folder, row), 'utf8'))?.[1]) }];
    } catch {
      // It was let go.
      return [];
    }
  });
}

/**
 * Kills the process of a task while it has claimed a row: of the task that has the number of the whole array as well.
 *
 * @returns what was killed
 */
function killOneWithClaim(results: string, job: string): Promise<Claimed> {
  return until('a task to claim a row', () => claimsIn(results).find((claim) => killed(claim, results, job)));
}

function killed(claim: Claimed, results: string, job: string): boolean {
  try {
    if (!readFileSync(`/proc/${claim.pid}/environ`, 'utf8').includes(`SLURM_JOB_ID=${job}\0`)) {
      return false;
    }
    process.kill(claim.pid, 'SIGSTOP');
    // Stopped, it can no longer let go.
    const holds = claimsIn(results).some(({ row, pid }) => row === claim.row && pid === claim.pid);
    process.kill(claim.pid, holds ? 'SIGKILL' : 'SIGCONT');
    return holds;
  } catch {
    // It ended meanwhile.
    return false;
  }
}

const figures = ({ points, prompts }: ExperimentReport): unknown => ({
  prompts,
  points: points.map(({ scenario, quality, onFront }) => ({ scenario, quality, onFront })),
});

describe.skipIf(obstacle !== undefined)(`an array of Slurm${obstacle === undefined ? '' : ` (SKIPPED: ${obstacle})`}`, () => {
  let slurm: Slurm;
  beforeAll(async () => {
    let remove = (): void => undefined;
    slurm = await Slurm.start(
      temporaryFolder((act) => (remove = act)),
      4,
    );
    return async () => {
      await slurm.stop();
      remove();
    };
  });

  /** Submits the documented script as four shards. */
  async function submit(folder: string, experiment: string, results: string, ...flags: readonly string[]): Promise<string> {
    return slurm.submit(folder, installed(folder), '--array=0-3', ...flags, script, experiment, results);
  }

  /** Holds that the folder has every unit once, and that its report is that of a run that never saw it. */
  async function expectWhole(experiment: string, results: string): Promise<void> {
    const measured = measuredIn(results).map(({ unit }) => unit);
    expect(measured).toHaveLength(units);
    expect(new Set(measured).size).toBe(units);
    expect(existsSync(join(results, 'claims'))).toBe(false);
    const command = ['run', experiment, '--threads', '1', '--json'];
    const merged = await cli([...command, '--results', results]);
    expect(merged.code).toBe(0);
    const report = JSON.parse(merged.stdout) as ExperimentReport;
    expect(report.resumed).toBe(units);
    const alone = await cli(command);
    expect(figures(report)).toEqual(figures(JSON.parse(alone.stdout) as ExperimentReport));
  }

  it('measures every unit once where the process of a task is killed, and starts that task again', async () => {
    const folder = temporaryFolder();
    const results = join(folder, 'results');
    const experiment = writeExperiment(folder);
    const job = await submit(folder, experiment, results);
    const { pid } = await killOneWithClaim(results, job);
    await slurm.finished(job);

    const tasks = await slurm.tasks(job);
    const logs = readdirSync(folder).filter((name) => name.endsWith('.log'));
    const told = [...logs.map((name) => `${name}:\n${readFileSync(join(folder, name), 'utf8')}`), slurm.logs()].join('\n');
    expect(
      tasks.map(({ JobState }) => JobState),
      told,
    ).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED', 'COMPLETED']);
    expect(tasks.map(({ Restarts }) => Restarts).toSorted()).toEqual(['0', '0', '0', '1']);
    const [again] = tasks.filter(({ Restarts }) => Restarts === '1');
    const log = readFileSync(join(folder, `two-heads-${job}_${again.ArrayTaskId}.log`), 'utf8');
    expect(log).toMatch(/killed \(exit code 137\); to be started again/);
    expect(log).toMatch(/shard \d of 4 on \S+, start 2\n/);
    await expectWhole(experiment, results);
    // The row that was left is measured by the task that was started again, not by the killed one.
    expect(claimsIn(results)).toEqual([]);
    const shard = `shard-${Number(again.ArrayTaskId) + 1}-of-4.`;
    const writers = new Set(measuredIn(results).map(({ file }) => file));
    expect([...writers].filter((file) => file.startsWith(shard) && !file.includes(`-${pid}-`))).toHaveLength(1);
  });

  it('does not start a task again that was given bad input', async () => {
    const folder = temporaryFolder();
    const job = await submit(folder, 'nowhere.two-heads.json', join(folder, 'results'));
    await slurm.finished(job);
    const tasks = await slurm.tasks(job);
    expect(tasks.map(({ JobState, ExitCode, Restarts }) => [JobState, ExitCode, Restarts])).toEqual(
      Array.from({ length: 4 }, () => ['FAILED', '2:0', '0']),
    );
    expect(readFileSync(join(folder, `two-heads-${job}_0.log`), 'utf8')).toMatch(/two-heads: nowhere\.two-heads\.json cannot be read/);
  });
});
