import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { complain } from '../../../src/cli/complain';
import { CliProcess, resultLines } from '../../harness/fleet-processes';
import { temporaryFolder } from '../../support/temporary';
import { run } from '../../support/cli';

const sweep = [
  ...['sweep', 'media/samples/long-prompt.md', '--scenario', 'sliding-window', '--window', '8', '--context', '256'],
  ...['--threads', '1', '--provider', 'cpu'],
];

it('measures with two engines what one process measures, also where one of them is killed', async () => {
  const folder = temporaryFolder();
  const [one, two] = ['one.jsonl', 'two.jsonl'].map((name) => join(folder, name));
  expect(await new CliProcess([...sweep, '--results', one]).end()).toBe(0);
  const engines = new CliProcess([...sweep, '--results', two, '--engines', '2']);
  await vi.waitFor(() => expect(existsSync(two) && readFileSync(two, 'utf8').length).toBeGreaterThan(0), { timeout: 240_000 });
  const [first] = execFileSync('pgrep', ['-P', `${engines.child.pid}`])
    .toString()
    .split('\n');
  process.kill(Number(first), 'SIGKILL');
  expect(await engines.end()).toBe(0);
  expect(resultLines(two)).toEqual(resultLines(one));
  expect(existsSync(`${two}.claims`)).toBe(false);
});

it('refuses more threads than a machine can serve, in one process or several', async () => {
  const evaluate = ['evaluate', 'media/samples/prompt.md', '--provider', 'cpu', '--threads'];
  expect(await run([...evaluate, '1024'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /two-heads: 1024 threads are too many for this machine's \d+ processors; use --threads \d+ or fewer/,
    ) as string,
  });
  expect(await run([...evaluate, '1024', '--engines', '2'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^two-heads: 2 processes of 1024 threads are too many [^\n]*\n$/) as string,
  });
});

it('says in one line that memory is short', () => {
  let stderr = '';
  const heard = { stderr: { write: (text: string) => (stderr += text) } };
  expect(complain(new RangeError('Array buffer allocation failed'), heard)).toBe(1);
  expect(stderr).toMatch(/^two-heads: Out of memory; cut the prompt [^\n]*: Array buffer allocation failed\n$/);
  stderr = '';
  expect(complain(new Error('libonnxruntime.so.1: failed to map segment from shared object'), heard)).toBe(1);
  expect(stderr).toMatch(/^two-heads: Out of memory before anything was run; allow the process more, [^\n]*: lib[^\n]*\n$/);
});

it('refuses engines that would each take the whole machine', async () => {
  const evaluate = ['evaluate', 'media/samples/prompt.md', '--provider', 'cpu', '--engines', '2'];
  expect(await run(evaluate)).toMatchObject({
    code: 2,
    stderr: 'two-heads: --engines 2 would each take all processors; give --threads a number, such as 1.\n',
  });
});
