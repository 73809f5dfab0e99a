import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { run } from '../../support/cli';
import { debianProgram } from '../../harness/debian';
import { root } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

const folder = join(root, 'docs', 'fleet', 'scripts');
const scripts = readdirSync(folder).filter((name) => name.endsWith('.sh'));
const hasBash = process.platform !== 'win32';

/** Runs a command where `two-heads` only prints its arguments, a line for each call. */
function recorded(
  command: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): { readonly code: number | null; readonly lines: string[]; readonly stderr: string } {
  const bin = join(temporaryFolder(), 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'two-heads'), '#!/bin/sh\necho "two-heads $*"\n');
  chmodSync(join(bin, 'two-heads'), 0o755);
  const env = { ...process.env, ...environment, PATH: `${bin}:${process.env.PATH ?? ''}` };
  const { status, stdout, stderr } = spawnSync(command[0], command.slice(1), { env, encoding: 'utf8', cwd: bin });
  return { code: status, lines: stdout.split('\n').filter((line) => line.startsWith('two-heads ')), stderr };
}

describe.runIf(hasBash)('scripts for shards', () => {
  it.each(scripts)('%s is right for bash', (name) => {
    expect(spawnSync('bash', ['-n', join(folder, name)], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });

  it('have nothing that shellcheck finds', async ({ skip }) => {
    const shellcheck = await debianProgram('shellcheck', ['shellcheck']);
    if (shellcheck === undefined) {
      return skip('shellcheck is missing');
    }
    const { stdout, status } = spawnSync(
      shellcheck,
      scripts.map((name) => join(folder, name)),
      { encoding: 'utf8' },
    );
    expect([status, stdout]).toEqual([0, '']);
  });

  const task = { SLURM_ARRAY_TASK_ID: '5', SLURM_ARRAY_TASK_MIN: '3', SLURM_ARRAY_TASK_MAX: '6', SLURM_ARRAY_TASK_COUNT: '4' };

  it('name a task’s shard and its threads as Slurm counts them', () => {
    const { code, lines } = recorded(['bash', join(folder, 'slurm-array.sh'), 'x y.json', 'results', '--as', 'text'], {
      ...task,
      SLURM_CPUS_PER_TASK: '6',
    });
    expect([code, lines]).toEqual([0, ['two-heads run x y.json --results results/ --threads 6 --as text --shard 3/4']]);
  });

  it('refuse an array with gaps, which would leave shards out', () => {
    const { code, lines, stderr } = recorded(['bash', join(folder, 'slurm-array.sh'), 'x', 'results'], {
      ...task,
      SLURM_ARRAY_TASK_MAX: '9',
    });
    expect([code, lines, stderr]).toEqual([2, [], 'An array with gaps leaves shards out; submit it with --array=0-3.\n']);
  });

  it('start every shard once on one machine, and print the report at the end', () => {
    const { code, lines } = recorded(['bash', join(folder, 'parallel.sh'), '3', 'x y.json', 'results']);
    expect(code).toBe(0);
    expect(lines.map((line) => / --threads 1(.*)$/.exec(line)?.[1]).toSorted()).toEqual([
      '',
      ' --shard 1/3',
      ' --shard 2/3',
      ' --shard 3/3',
    ]);
    expect(lines.at(-1)).toMatch(/ --threads 1$/);
  });
});

describe('the job for Kubernetes', () => {
  const job = parse(readFileSync(join(folder, 'kubernetes-indexed-job.yaml'), 'utf8')) as {
    readonly kind: string;
    readonly spec: {
      readonly completionMode: string;
      readonly completions: number;
      readonly template: {
        readonly spec: {
          readonly containers: {
            readonly command: string[];
            readonly args: string[];
            readonly env: { readonly name: string; readonly value?: string }[];
          }[];
        };
      };
    };
  };

  it('has as many indexes as shards', () => {
    const [{ env }] = job.spec.template.spec.containers;
    expect([job.kind, job.spec.completionMode]).toEqual(['Job', 'Indexed']);
    expect(Number(env.find(({ name }) => name === 'SHARDS')?.value)).toBe(job.spec.completions);
  });

  it.runIf(hasBash)('names a shard by the index', () => {
    const [{ command, args }] = job.spec.template.spec.containers;
    const { lines } = recorded([...command, ...args], { JOB_COMPLETION_INDEX: '7', SHARDS: '8', THREADS: '4' });
    expect(lines).toEqual(['two-heads run /shared/experiment.two-heads.json --results /shared/results/ --threads 4 --shard 8/8']);
  });
});

describe('the services for Docker', () => {
  const { services } = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8')) as {
    readonly services: Readonly<Record<'broker' | 'worker', { readonly command: string[]; readonly environment: string[] }>>;
  };

  it('start workers by flags that there are, and give no password in a command', async () => {
    const { stdout } = await run(['worker', '--help']);
    const [program, command, ...flags] = services.worker.command;
    expect([program, command]).toEqual(['two-heads', 'worker']);
    expect(flags.filter((flag) => flag.startsWith('--')).every((flag) => stdout.includes(` ${flag} `))).toBe(true);
    expect(services.worker.environment).toEqual(['TWO_HEADS_BROKER_PASSWORD']);
    expect(services.broker.command.at(-1)).toContain('"$$TWO_HEADS_BROKER_PASSWORD"');
  });
});
