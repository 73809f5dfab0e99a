import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PlanDocument } from '../../../src/core/report/report';
import { run } from '../../support/cli';
import { embeddedFolder, sampleText } from '../../support/paths';
import { reportOf } from '../../support/reports';
import { temporaryFolder } from '../../support/temporary';

/** What people's tools write: PowerShell 5.1 redirects in UTF-16, Windows' editors begin UTF-8 with a byte order mark. */
const encodings: Readonly<Record<string, (text: string) => Buffer>> = {
  'UTF-8 with its mark': (text) => Buffer.from(`\uFEFF${text}`),
  'UTF-16 LE': (text) => Buffer.from(`\uFEFF${text}`, 'utf16le'),
  'UTF-16 BE': (text) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(),
};

function file(content: string | Uint8Array, name: string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

/** A copy of the embedded model with some of its files written anew. */
function modelWith(change: Readonly<Record<string, (text: string) => string | Uint8Array>>): string {
  const folder = join(temporaryFolder(), 'model');
  cpSync(embeddedFolder, folder, { recursive: true });
  for (const [name, write] of Object.entries(change)) {
    writeFileSync(join(folder, name), write(readFileSync(join(folder, name), 'utf8')));
  }
  return folder;
}

/** A plan without its memory, which is that of this process at the time. */
async function planOf(...args: readonly string[]): Promise<Omit<PlanDocument, 'memory'>> {
  const { code, stdout, stderr } = await run(['plan', ...args, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { memory, ...plan } = JSON.parse(stdout) as PlanDocument;
  expect(memory?.peak).toBeGreaterThan(0);
  return plan;
}

describe.each(Object.entries(encodings))('in %s', (_, write) => {
  it('a prompt has the tokens of its text, Windows line ends included', async () => {
    const text = sampleText().slice(0, 600).replaceAll('\n', '\r\n');
    const path = file(text, 'a.md');
    const plain = await planOf(path);
    writeFileSync(path, write(text));
    expect(await planOf(path)).toEqual(plain);
  });

  it('a report is read from a file and from standard input', async () => {
    const json = JSON.stringify(reportOf());
    const { stdout: plain } = await run(['report', file(json, 'run.json')]);
    expect(plain).toMatch(/^# Two Heads: 1 run\n/);
    expect(await run(['report', file(write(json), 'run.json')])).toEqual({ code: 0, stdout: plain, stderr: '' });
    expect(await run(['report', '-'], write(json))).toEqual({ code: 0, stdout: plain, stderr: '' });
  });

  it('a model is configured and tokenizes', async () => {
    const prompt = file('Hello, world.', 'a.md');
    const model = modelWith({ 'config.json': write, 'tokenizer.json': write });
    const plain = await planOf(prompt);
    const { model: described, ...plan } = await planOf(prompt, '--model', model);
    expect({ ...plan, model: { ...described, name: plain.model.name } }).toEqual(plain);
  });

  it('an experiment is run', async () => {
    const folder = join(temporaryFolder(), 'experiment');
    mkdirSync(folder);
    writeFileSync(join(folder, 'a.txt'), write(sampleText().slice(0, 400)));
    const path = join(folder, 'x.two-heads.json');
    writeFileSync(path, write(JSON.stringify({ version: 1, prompts: ['a.txt'], context: 64, scenarios: ['causal'], quality: false })));
    const { code, stdout } = await run(['run', path]);
    expect(code).toBe(0);
    expect(stdout).toContain('1 prompt');
  });
});

describe('a model folder', () => {
  const prompt = (): string => file('Hello, world.', 'a.md');

  it("may have the numbers of Python's JSON", async () => {
    const withNumbers = (json: string): string => json.replace('{', '{"time_step_limit": [0.0, Infinity], "low": -Infinity, "unset": NaN,');
    const { prompt: planned } = await planOf(prompt(), '--model', modelWith({ 'config.json': withNumbers }));
    expect(planned.tokens).toBe((await planOf(prompt())).prompt.tokens);
  });

  it('is refused for a file that is a link to nothing, also where it may be absent', async () => {
    const name = 'generation_config.json';
    const model = modelWith({});
    rmSync(join(model, name), { force: true });
    symlinkSync('nowhere', join(model, name));
    const { code, stderr } = await run(['generate', prompt(), '--tokens', '1', '--model', model]);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`two-heads: .*${name} cannot be read \\(a link that leads nowhere, ENOENT: .*\\); [^\n]*\n$`));
  });

  it('may have files as large as those of published models', async () => {
    const padded =
      (bytes: number) =>
      (json: string): string =>
        json.replace('{', `{"padding": "${'x'.repeat(bytes)}",`);
    const model = modelWith({
      'config.json': padded(3 * 1024 * 1024),
      'tokenizer.json': padded(36_000_000),
    });
    expect((await planOf(prompt(), '--model', model)).prompt.tokens).toBeGreaterThan(1);
  });
});

describe('standard input', () => {
  it.each([
    ['nothing', '', /^two-heads: Standard input \(-\) is empty; give a prompt/],
    ['half a character', Uint8Array.of(0x61, 0xe2, 0x82), /^two-heads: Standard input \(-\) is not UTF-8 text at byte 1 \(0xe2\)/],
    ['UTF-32', Uint8Array.of(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0), /^two-heads: Standard input \(-\) is UTF-32 text; convert it to UTF-8\./],
  ])('of %s is refused in one line', async (_, input, message) => {
    const { code, stdout, stderr } = await run(['plan', '-'], input);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  it('stays strict JSON for reports', async () => {
    const { code, stderr } = await run(['report', '-'], '{"runs": NaN}');
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^two-heads: Standard input \(-\) is not JSON; give what simulate/)]);
  });
});
