import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PlanDocument } from '../../../src/core/report/report';
import { cli, nothingKept } from '../../support/cli';
import { root, samplePrompt } from '../../support/paths';

/** The built command line as a process, with what it left behind once it ends. */
function started(...args: string[]): { child: ReturnType<typeof spawn>; ended: Promise<{ code: number | null; stderr: string }> } {
  const child = spawn(process.execPath, [join(root, 'dist', 'cli.js'), ...args], { env: { ...process.env, ...nothingKept } });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr }))) };
}

describe('the process of the command line', () => {
  it('ends with 0 and prints its version', async () => {
    expect(await cli(['--version'])).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string, stderr: '' });
  });

  it('ends with 2 on bad input, with one line on stderr', async () => {
    expect(await cli(['plan', 'nowhere.md'])).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^two-heads: nowhere\.md cannot be read [^\n]*\n$/) as string,
    });
  });

  it('ends with 1 where a budget is broken', async () => {
    const { code, stderr } = await cli(['check', join(root, 'media', 'samples', 'held-out.two-heads.json'), '--max-calls', '1']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/broken: /) as string]);
  });

  it('reads standard input from a pipe', async () => {
    const { code, stdout } = await cli(['plan', '-', '--json'], 'Some words to plan.');
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as PlanDocument).prompt).toMatchObject({ path: '-', bytes: 19 });
  });

  it('stops at an interrupt, says so in one line, and ends with 1', async () => {
    const { child, ended } = started('simulate', samplePrompt, '--threads', '1', '--block', '64');
    child.stderr?.once('data', () => child.kill('SIGINT'));
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/(^|\n)two-heads: The run was cancelled\.\n$/);
  });

  it('ends in silence where nobody reads what it prints', async () => {
    const { child, ended } = started('schema');
    child.stdout?.destroy();
    expect(await ended).toEqual({ code: 0, stderr: '' });
  });
});
