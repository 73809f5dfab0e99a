import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import type { PlanDocument } from '../../../src/core/report/report';
import { cli, nothingKept } from '../../support/cli';
import { root, samplePrompt, sampleText } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';
import { endlessText, writeEndlessModel } from '../../support/endless-tokenizer';

const entry = join(root, 'dist', 'cli.js');
const env = { ...process.env, ...nothingKept };

/** The built command line as a process, with what it left behind once it ends. */
function started(...args: string[]): { child: ReturnType<typeof spawn>; ended: Promise<{ code: number | null; stderr: string }> } {
  const child = spawn(process.execPath, [entry, ...args], { env });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr }))) };
}

/** Waits until a process has started and no longer works: it waits itself. */
async function untilIdle(child: ReturnType<typeof spawn>): Promise<void> {
  for (let quiet = 0, before = 0; quiet < 20;) {
    await pause(50);
    const ticks = ticksOf(child);
    quiet = ticks > 5 && ticks === before ? quiet + 1 : 0;
    before = ticks;
  }
}

/** Ticks that a process worked in user mode, a hundred a second. */
function ticksOf(child: { readonly pid?: number | undefined }): number {
  // They are its fourteenth field; the second, its name, is in parentheses.
  return Number(readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ')[11]);
}

/** Whether a process has not ended: one that nobody has asked for its end yet, a zombie, has. */
function isAtWork({ pid }: { readonly pid: number }): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Interrupts a command once it has worked for longer than starting takes. */
function interruptOnceBusy(child: ReturnType<typeof spawn>, signal: NodeJS.Signals = 'SIGINT'): void {
  const timer = setInterval(() => {
    if (ticksOf(child) > 120) {
      clearInterval(timer);
      child.kill(signal);
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
    await untilIdle(child);
    child.kill('SIGINT');
    expect(await ended).toEqual({ code: 130, stderr: 'two-heads: The run was cancelled.\n' });
  });

  it.runIf(process.platform === 'linux').each(['plan', 'generate', 'sweep', 'pack'])(
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

  it.runIf(process.platform === 'linux')('stops at SIGTERM where a tokenizer never ends, and at once at a second one', async () => {
    const folder = temporaryFolder();
    writeEndlessModel(folder);
    const prompt = join(folder, 'prompt.md');
    writeFileSync(prompt, endlessText);
    const { child, ended } = started('plan', prompt, '--model', folder);
    interruptOnceBusy(child, 'SIGTERM');
    expect(await ended).toEqual({ code: 130, stderr: 'two-heads: The run was cancelled.\n' });

    const waiting = started('plan', '-');
    await untilIdle(waiting.child);
    waiting.child.kill('SIGTERM');
    await pause(300);
    waiting.child.kill('SIGTERM');
    expect(await waiting.ended).toEqual({ code: null, stderr: '' });
    expect(waiting.child.signalCode).toBe('SIGTERM');
  });

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

  it.runIf(process.platform === 'linux')('ends at once at a second interrupt, where it waits and in a native run', async () => {
    const waiting = started('plan', '-');
    await untilIdle(waiting.child);
    waiting.child.kill('SIGINT');
    await pause(300);
    waiting.child.kill('SIGINT');
    // As what nobody catches ends it, of which a shell makes 130.
    expect(await waiting.ended).toEqual({ code: null, stderr: '' });
    expect(waiting.child.signalCode).toBe('SIGINT');

    const ends: unknown[] = [];
    while (ends.length < 3 && !ends.includes('SIGINT')) {
      const { child, ended } = started('simulate', samplePrompt, '--executor', 'compiled', '--block', '2048', '--threads', '1');
      while (!String(await once(child.stderr as Readable, 'data')).includes(' layer, '));
      // Into the middle of a layer, which is one run: what listens between two turns hears of both when it is over.
      await pause(150);
      child.kill('SIGINT');
      await pause(20);
      child.kill('SIGINT');
      await ended;
      ends.push(child.signalCode);
    }
    expect(ends).toContain('SIGINT');
  });

  it.runIf(process.platform === 'linux')('goes on where nobody reads its progress, and says where its result is lost', async () => {
    const short = ['simulate', samplePrompt, '--max-tokens', '40', '--block', '32', '--threads', '1'];
    const full = openSync('/dev/full', 'w');
    const deaf = started(...short);
    deaf.child.stderr?.destroy();
    let stdout = '';
    deaf.child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    expect((await deaf.ended).code).toBe(0);
    expect(stdout).toContain('fidelity');
    const unheard = spawn(process.execPath, [entry, ...short], { env, stdio: ['ignore', 'ignore', full] });
    expect(await once(unheard, 'exit')).toEqual([0, null]);
    for (const command of [['schema'], ['plan', samplePrompt], ['plan', samplePrompt, '--json'], ['models', '--json'], short]) {
      const lost = spawn(process.execPath, [entry, ...command], { env, stdio: ['ignore', full, 'pipe'] });
      let complaint = '';
      lost.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
      expect(await once(lost, 'close')).toEqual([1, null]);
      expect(complaint).toMatch(/(^|\n)two-heads: Standard output cannot be written \(ENOSPC[^\n]*\); the result is lost\.\n$/);
    }
    closeSync(full);
  });

  it.runIf(process.platform === 'linux')('says that its result is lost where a file has room for the beginning of it', async () => {
    // No file may grow past 1 KiB: a write that would is cut, as on a disk that fills up.
    const out = join(temporaryFolder(), 'plan.json');
    const script = 'trap "" XFSZ; ulimit -f 1; exec "$@" > "$OUT"';
    const cut = spawn('bash', ['-c', script, '-', process.execPath, entry, 'plan', samplePrompt, '--json'], { env: { ...env, OUT: out } });
    let complaint = '';
    cut.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    expect(await once(cut, 'close')).toEqual([1, null]);
    expect(complaint).toMatch(/^two-heads: Standard output cannot be written \(EFBIG[^\n]*\); the result is lost\.\n$/);
  });

  it.runIf(process.platform === 'linux')('leaves no engine behind that outlives it, whatever that does', async () => {
    const folder = temporaryFolder();
    writeEndlessModel(folder);
    // A parent that asks for a run whose tokenizer never ends, and tells the engine's number.
    const request = {
      type: 'call',
      id: 1,
      method: 'simulate',
      argument: { path: 'prompt.md', text: endlessText, options: { ...defaultOptions, model: folder } },
    };
    // In a file: an argument cannot be that long.
    const path = join(folder, 'request.json');
    writeFileSync(path, JSON.stringify(request));
    const script = `const child = require('node:child_process').fork(process.argv[1], [process.argv[2]], { serialization: 'advanced' });
      child.send(JSON.parse(require('node:fs').readFileSync(process.argv[3], 'utf8'))); console.log(child.pid); setInterval(() => undefined, 1000);`;
    const parent = spawn(process.execPath, ['-e', script, join(root, 'dist', 'engine.js'), folder, path]);
    const engine = { pid: Number((await once(parent.stdout, 'data'))[0]) };
    while (ticksOf(engine) < 120) {
      await pause(50);
    }
    parent.kill('SIGKILL');
    // Waited for as long as the test may take: how soon it ends is the campaign's to measure, on a machine that is not busy.
    while (isAtWork(engine)) {
      await pause(50);
    }
  });

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
