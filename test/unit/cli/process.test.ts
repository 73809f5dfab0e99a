import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PlanDocument } from '../../../src/core/report/report';
import { cli, nothingKept } from '../../support/cli';
import { root, samplePrompt, sampleText } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';
import { endlessText, writeEndlessModel } from '../../support/endless-tokenizer';

/** The built command line as a process, with what it left behind once it ends. */
function started(...args: string[]): { child: ReturnType<typeof spawn>; ended: Promise<{ code: number | null; stderr: string }> } {
  const child = spawn(process.execPath, [join(root, 'dist', 'cli.js'), ...args], { env: { ...process.env, ...nothingKept } });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr }))) };
}

/** Ticks that a process worked in user mode, a hundred a second. */
function ticksOf(child: ReturnType<typeof spawn>): number {
  // They are its fourteenth field; the second, its name, is in parentheses.
  return Number(readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ')[11]);
}

/** Interrupts a command once it has worked for longer than starting takes. */
function interruptOnceBusy(child: ReturnType<typeof spawn>): void {
  const timer = setInterval(() => {
    if (ticksOf(child) > 120) {
      clearInterval(timer);
      child.kill('SIGINT');
    }
  }, 50);
  child.once('exit', () => clearInterval(timer));
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

  // Windows has no SIGTERM: there it ends a process at once.
  it.each(process.platform === 'win32' ? ['SIGINT' as const] : ['SIGINT' as const, 'SIGTERM' as const])(
    'stops at %s, says so in one line, and ends with 130',
    async (signal) => {
      const { child, ended } = started('simulate', samplePrompt, '--threads', '1', '--block', '64');
      child.stderr?.once('data', () => child.kill(signal));
      const { code, stderr } = await ended;
      expect(code).toBe(130);
      expect(stderr).toMatch(/(^|\n)two-heads: The run was cancelled\.\n$/);
    },
  );

  it.runIf(process.platform === 'linux')('stops at an interrupt where it waits for standard input', async () => {
    const { child, ended } = started('plan', '-');
    // It waits once it has started and no longer works.
    for (let quiet = 0, before = 0; quiet < 20;) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const ticks = ticksOf(child);
      quiet = ticks > 5 && ticks === before ? quiet + 1 : 0;
      before = ticks;
    }
    child.kill('SIGINT');
    expect(await ended).toEqual({ code: 130, stderr: 'two-heads: The run was cancelled.\n' });
  });

  it.runIf(process.platform === 'linux').each(['plan', 'simulate', 'compare', 'generate', 'evaluate', 'sweep', 'pack'])(
    'stops %s at an interrupt where a tokenizer never ends',
    async (command) => {
      const folder = temporaryFolder();
      writeEndlessModel(folder);
      const prompt = join(folder, 'prompt.md');
      writeFileSync(prompt, endlessText);
      const { child, ended } = started(command, prompt, '--model', folder);
      interruptOnceBusy(child);
      expect(await ended).toEqual({ code: 130, stderr: 'two-heads: The run was cancelled.\n' });
      expect(readdirSync(folder).toSorted()).toEqual(['config.json', 'prompt.md', 'tokenizer.json', 'tokenizer_config.json']);
    },
  );

  it.runIf(process.platform === 'linux')(
    'stops at an interrupt while a mask is planned or looked at pair by pair, and leaves no half of a report',
    async () => {
      const folder = temporaryFolder();
      const out = join(folder, 'report.json');
      const prompt = join(folder, 'prompt.md');
      writeFileSync(prompt, sampleText().repeat(40).slice(0, 60_000));
      const mask = '(q - k) % 7 < 3 or k % 1001 < q % 977';
      const { child, ended } = started('simulate', prompt, '--scenario', 'custom', '--mask', mask, '--out', out);
      interruptOnceBusy(child);
      const { code, stderr } = await ended;
      expect([code, stderr]).toEqual([130, expect.stringMatching(/(^|\n)two-heads: The run was cancelled\.\n$/)]);
      expect(readdirSync(folder)).toEqual(['prompt.md']);
    },
  );

  it('switches off the telemetry of ONNX Runtime, which leaves files in the cache folder', async () => {
    const caches = temporaryFolder();
    const home = { HOME: caches, XDG_CACHE_HOME: caches, CI: '' };
    const { code } = await cli(['simulate', '-', '--max-tokens', '40', '--block', '16', '--threads', '1'], sampleText(), home);
    expect(code).toBe(0);
    expect(readdirSync(caches).filter((name) => name !== 'two-heads')).toEqual([]);
  });

  it('ends in silence where nobody reads what it prints', async () => {
    const { child, ended } = started('schema');
    child.stdout?.destroy();
    expect(await ended).toEqual({ code: 0, stderr: '' });
  });
});
